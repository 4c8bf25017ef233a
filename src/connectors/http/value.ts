import { parseToWrite } from '../../format/json.ts';
import { TaskError } from '../../task/errors.ts';
import type { HttpAnswer } from './call.ts';
import { textOf } from './text.ts';

/** How a body becomes a JSON value: by its type, or as the item wants it. */
export const bodyViews = ['auto', 'json', 'text', 'base64'] as const;
export type BodyView = (typeof bodyViews)[number];

/** A body within a row; `encoding` is there where the body is bytes in base64. */
export interface BodyValue {
  readonly body: unknown;
  readonly encoding?: 'base64';
}

/** https://mimesniff.spec.whatwg.org/#json-mime-type, and the names from before. */
const jsonType = /^\s*((application|text)\/(x-)?json|[^;]*\+json)\s*(;|$)/i;

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
  const json = jsonType.test(type) ? jsonOf(text) : undefined;
  return { body: json === undefined ? text : json.value };
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
    return { value: parseToWrite(text) };
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
