import type { Clock } from '../../ports.ts';

/** When a write may happen: only where nothing is, or only over the version with this ETag (`*`: over any). */
export interface WriteCondition {
  readonly ifAbsent?: boolean;
  readonly ifMatch?: string;
}

/** Why a conditional write wrote nothing. */
export type WriteRefusal = 'exists' | 'changed' | 'absent';

/** Decides a conditional write over the version that stands, if one does: the one meaning of conditions in the embedded cloud. */
export function refusalOfWrite(condition: WriteCondition, current: string | undefined): WriteRefusal | undefined {
  if (condition.ifAbsent === true && current !== undefined) return 'exists';
  if (condition.ifMatch === undefined) return undefined;
  if (current === undefined) return 'absent';
  return condition.ifMatch === '*' || condition.ifMatch === current ? undefined : 'changed';
}

/** An object: its bytes, and what was stored with them. */
export interface ModelObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, whole seconds as S3 tells them. */
  readonly lastModified: number;
}

/** The objects of one bucket: strongly consistent, conditional writes, lists in the order of UTF-8 bytes. Every call takes effect at once. */
export class ModelBucket {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #objects = new Map<string, ModelObject>();
  #sorted: readonly string[] | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get(key: string): ModelObject | undefined {
    return this.#objects.get(key);
  }

  /** Writes, or says why not. */
  put(
    key: string,
    body: Uint8Array,
    options: { readonly condition?: WriteCondition; readonly metadata?: Readonly<Record<string, string>> } = {},
  ): ModelObject | WriteRefusal {
    const { condition = {}, metadata = {} } = options;
    const refusal = refusalOfWrite(condition, this.#objects.get(key)?.etag);
    if (refusal !== undefined) return refusal;
    const lastModified = Math.floor(this.#clock.now() / 1_000) * 1_000;
    const object = { body: body.slice(), etag: etagOf(body), metadata: { ...metadata }, lastModified };
    if (!this.#objects.has(key)) this.#sorted = undefined;
    this.#objects.set(key, object);
    return object;
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined;
  }

  /** Keys under a prefix after `after`, at most `max`; `isTruncated` where there are more. */
  list(options: { readonly prefix?: string; readonly after?: string; readonly max?: number }): {
    readonly keys: readonly string[];
    readonly isTruncated: boolean;
  } {
    const { prefix = '', after = '', max = 1_000 } = options;
    this.#sorted ??= [...this.#objects.keys()].sort(byBytes);
    const keys: string[] = [];
    for (const key of this.#sorted) {
      if (!key.startsWith(prefix) || byBytes(key, after) <= 0) continue;
      if (keys.length === max) return { keys, isTruncated: true };
      keys.push(key);
    }
    return { keys, isTruncated: false };
  }
}

/** UTF-16 orders characters beyond U+FFFF before some of those below it; bytes of UTF-8 do not. */
function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;
    return isHigh(x) === isHigh(y) ? x - y : isHigh(x) ? 1 : -1;
  }
  return a.length - b.length;
}

/** An ETag is a function of the bytes, as S3's MD5 is; any hash that does not collide by chance serves here. */
function etagOf(body: Uint8Array): string {
  let [a, b, c, d] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  const add = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193) ^ (a >>> 15);
    b = (Math.imul(b ^ word, 0x85ebca6b) + a) | 0;
    c = Math.imul(c ^ (word + (b >>> 13)), 0xc2b2ae35);
    d = (Math.imul(d ^ (c >>> 7), 0x27d4eb2f) + word) | 0;
  };
  // Four bytes at a time, and by index: a simulated worker writes all its rows, and byte by byte this was more than any part of its own.
  const bytes = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const whole = body.length - (body.length % 4);
  for (let at = 0; at < whole; at += 4) add(bytes.getInt32(at));
  for (let at = whole; at < body.length; at++) add(bytes.getUint8(at));
  return `"${[a ^ body.length, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')}"`;
}
