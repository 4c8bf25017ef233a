import { randomUUID } from 'node:crypto';
import { toJson } from '../../format/json.ts';
import { TaskError } from '../../task/errors.ts';

/** A body as it is sent, and the type that it has by itself. */
export interface WrittenBody {
  readonly body: string | Uint8Array;
  readonly type: string;
}

/** Reads the bytes of `{"from": "s3://…"}`. */
export type ReadBytes = (place: string) => Promise<Uint8Array>;

/** Bytes within an item, or at another place; the names of a part of a form besides. */
interface Bytes {
  readonly base64?: string;
  readonly from?: string;
  readonly filename?: string;
  readonly type?: string;
}

/**
 * What is wrong with a body of this content type; undefined where it can be sent. An object is JSON unless the content type says
 * `application/x-www-form-urlencoded` or `multipart/form-data`, which make a form of it; `{"base64": "…"}` and `{"from": "s3://…"}`
 * are bytes, unless the content type says JSON.
 */
export function bodyProblem(body: unknown, contentType: string | undefined): string | undefined {
  const kind = kindOf(contentType);
  if (typeof body === 'string') return undefined;
  if (kind !== 'json' && isBytes(body)) return base64Problem(body);
  if (kind === 'json' || kind === 'none') return undefined;
  if (kind === 'other') {
    return `expected a text, {"base64": "…"}, or {"from": "s3://…"} for the content type ${contentType}; an object is sent as JSON or as a form`;
  }
  if (!isRecord(body)) return `expected an object of fields for the content type ${contentType}`;
  for (const [name, value] of Object.entries(body)) {
    const isField = Array.isArray(value) ? value.every(isScalar) : isScalar(value);
    if (isField || (kind === 'multipart' && isBytes(value))) continue;
    return `${name}: expected a text, a number, or a list of them, since a form has no objects`;
  }
  return undefined;
}

/** Writes a body that {@link bodyProblem} has passed. */
export async function writeBody(body: unknown, contentType: string | undefined, read: ReadBytes): Promise<WrittenBody> {
  if (typeof body === 'string') return { body, type: 'text/plain; charset=utf-8' };
  const kind = kindOf(contentType);
  if (kind !== 'json' || contentType === undefined) {
    if (isBytes(body)) return { body: await bytesOf(body, read), type: body.type ?? 'application/octet-stream' };
    if (kind === 'form' && isRecord(body)) return { body: formText(body), type: 'application/x-www-form-urlencoded' };
    if (kind === 'multipart' && isRecord(body)) return multipart(body, read);
  }
  return { body: toJson(body) ?? '', type: 'application/json' };
}

type Kind = 'json' | 'form' | 'multipart' | 'other' | 'none';

function kindOf(contentType: string | undefined): Kind {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === undefined) return 'none';
  if (/json/.test(type)) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  return type === 'multipart/form-data' ? 'multipart' : 'other';
}

const bytesNames: ReadonlySet<string> = new Set(['base64', 'from', 'filename', 'type']);

function isBytes(value: unknown): value is Bytes {
  if (!isRecord(value)) return false;
  const names = Object.keys(value);
  return (
    (typeof value['base64'] === 'string') !== isPlace(value['from']) &&
    names.every((name) => bytesNames.has(name) && typeof value[name] === 'string')
  );
}

/** `{"from": "USD"}` is an ordinary body. */
function isPlace(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('s3://');
}

function base64Problem({ base64 }: Bytes): string | undefined {
  if (base64 === undefined || /^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) return undefined;
  return `base64: expected base64, got "${base64.slice(0, 40)}"`;
}

async function bytesOf({ base64, from }: Bytes, read: ReadBytes): Promise<Uint8Array> {
  return base64 === undefined ? read(from ?? '') : Buffer.from(base64, 'base64');
}

function formText(fields: Readonly<Record<string, unknown>>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const element of Array.isArray(value) ? value : [value]) form.append(name, fieldText(element));
  }
  return form.toString();
}

/** https://www.rfc-editor.org/rfc/rfc7578 */
async function multipart(fields: Readonly<Record<string, unknown>>, read: ReadBytes): Promise<WrittenBody> {
  const boundary = `fanloop-${randomUUID()}`;
  const parts: Uint8Array[] = [];
  for (const [name, value] of Object.entries(fields)) {
    for (const element of Array.isArray(value) ? value : [value]) {
      parts.push(Buffer.from(`--${boundary}\r\n${partHead(name, element)}\r\n\r\n`));
      parts.push(
        isBytes(element) ? await bytesOf(element, read) : Buffer.from(fieldText(element)),
        Buffer.from('\r\n'),
      );
    }
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { body: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
}

function partHead(name: string, value: unknown): string {
  const head = `content-disposition: form-data; name="${quoted(name)}"`;
  if (!isBytes(value)) return head;
  const filename = value.filename ?? value.from?.split('/').at(-1) ?? 'file';
  const type = (value.type ?? 'application/octet-stream').replaceAll(/[\r\n]/g, ' ');
  return `${head}; filename="${quoted(filename)}"\r\ncontent-type: ${type}`;
}

/** As browsers do. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function quoted(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function fieldText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A body from another place is held whole, since a redirect may ask for it again. */
export const maxBodyBytes = 67_108_864;

/** Reads a stream whole. @throws TaskError `BodyTooLarge` */
export async function readWhole(blocks: AsyncIterable<Buffer>): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const block of blocks) {
    // Sources release their blocks when the next one is asked for.
    parts.push(Buffer.from(block));
    bytes += block.byteLength;
    if (bytes > maxBodyBytes) {
      throw new TaskError(`expected a body to send of at most ${maxBodyBytes} bytes, got more`, {
        code: 'BodyTooLarge',
      });
    }
  }
  return Buffer.concat(parts);
}
