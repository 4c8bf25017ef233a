import { toJson } from '../../format/json.ts';
import { TaskError } from '../../task/errors.ts';
import type { HttpAnswer } from './call.ts';

/** How a body becomes a JSON value: by its type, or as the item wants it. */
export const bodyViews = ['auto', 'json', 'text', 'base64'] as const;
export type BodyView = (typeof bodyViews)[number];

/** A body within a row; `encoding` is there where the body is bytes in base64. */
export interface BodyValue {
  readonly body: unknown;
  readonly encoding?: 'base64';
}

/** Kept, since making a decoder costs more than using it. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Turns an answer's body into a JSON value; null where there is none.
 * `auto` gives JSON where the content type says so and it is, else text where the bytes are text, else base64.
 *
 * @throws TaskError `InvalidBody` when JSON or text was asked for and something else came
 */
export function bodyValue(answer: Pick<HttpAnswer, 'body' | 'headers'>, view: BodyView): BodyValue {
  const { body } = answer;
  const type = answer.headers['content-type'] ?? '';
  if (body.byteLength === 0) return { body: view === 'text' || view === 'base64' ? '' : null };
  if (view === 'base64') return base64(body);
  if (view === 'text') return { body: requireText(body, type) };
  if (view === 'json') return { body: requireJson(body, type) };
  const text = textOf(body, type);
  if (text === undefined) return base64(body);
  if (!/^application\/(json|[^;]*\+json)\s*(;|$)/i.test(type)) return { body: text };
  return { body: jsonOf(text)?.value ?? text };
}

/** What is sent for a value: a text as it is, anything else as JSON. */
export function bodyText(value: unknown): string {
  return typeof value === 'string' ? value : (toJson(value) ?? '');
}

function base64(body: Buffer): BodyValue {
  return { body: body.toString('base64'), encoding: 'base64' };
}

function requireText(body: Buffer, type: string): string {
  const text = textOf(body, type);
  if (text === undefined) throw invalid('text', type);
  return text;
}

function requireJson(body: Buffer, type: string): unknown {
  const text = textOf(body, type);
  const json = text === undefined ? undefined : jsonOf(text);
  if (json === undefined) throw invalid('JSON', type);
  return json.value;
}

function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The body in the charset of its content type (UTF-8 by default), or undefined where it is not valid in it. */
function textOf(body: Buffer, type: string): string | undefined {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  try {
    return (charset === 'utf-8' ? utf8 : new TextDecoder(charset, { fatal: true })).decode(body);
  } catch {
    return undefined;
  }
}

function invalid(wanted: string, type: string): TaskError {
  return new TaskError(
    `expected ${wanted}, got a body of type ${type === '' ? 'unknown' : type.slice(0, 100)} that is none`,
    {
      code: 'InvalidBody',
    },
  );
}
