import { crc32, createInflate, createInflateRaw, type Inflate, type InflateRaw } from 'node:zlib';

/** Bytes of a source with a place in them: a decoder may take a part of a block. */
class Cursor {
  readonly #source: AsyncIterator<Buffer>;
  #block: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The rest of the block, or the next one; undefined at the end. */
  async block(): Promise<Buffer | undefined> {
    while (this.#block.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#block = next.value;
    }
    return this.#block;
  }

  skip(bytes: number): void {
    this.#block = this.#block.subarray(bytes);
  }

  /** Looks at the next bytes without taking them; fewer at the end. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#block.length < bytes) {
      const next = await this.#source.next();
      if (next.done === true) break;
      this.#block = Buffer.concat([this.#block, next.value]);
    }
    return this.#block.subarray(0, bytes);
  }

  async take(bytes: number): Promise<Buffer> {
    const taken = await this.peek(bytes);
    if (taken.length < bytes) throw damaged('unexpected end of file');
    this.skip(bytes);
    return taken;
  }

  async takeText(): Promise<void> {
    while ((await this.take(1))[0] !== 0);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/**
 * Undoes gzip as browsers do: any number of members one after another; zeros or other bytes behind the last one are no failure.
 * Node's own Gunzip takes them for a damaged member.
 */
export async function* gunzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const cursor = new Cursor(source);
  try {
    for (let members = 0; ; members += 1) {
      const header = await cursor.peek(10);
      if (members > 0 && !isMember(header)) return;
      if (header.length === 0) return;
      if (header[0] !== 0x1f || header[1] !== 0x8b) throw damaged('incorrect header check');
      await skipHeader(cursor);
      let check = 0;
      for await (const block of inflateOnce(createInflateRaw(), cursor)) {
        check = crc32(block, check);
        yield block;
      }
      const trailer = await cursor.take(8);
      if (trailer.readUInt32LE(0) !== check) throw damaged('incorrect data check');
    }
  } finally {
    await cursor.close();
  }
}

/** RFC 1952: the method is 8, three flags are reserved, and a level is said by 0, 2, or 4. Junk may begin with the magic bytes alone. */
function isMember([id1, id2, method, flags, , , , , level]: Buffer): boolean {
  if (id1 !== 0x1f || id2 !== 0x8b || method !== 8 || flags === undefined) return false;
  return (flags & 0xe0) === 0 && (level === undefined || level === 0 || level === 2 || level === 4);
}

/** Unpacks a stream that begins as gzip does, and passes any other on; `found` is told of it. */
export async function* unpacked(source: AsyncIterable<Buffer>, found: () => void): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  const whole = async function* (): AsyncGenerator<Buffer> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  const isGzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (isGzip) found();
  yield* isGzip ? gunzipped(whole()) : whole();
}

/** Undoes `deflate` in both forms: with zlib's header, as the standard says, or without, as some servers send it. */
export async function* inflated(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const cursor = new Cursor(source);
  try {
    const start = await cursor.peek(2);
    if (start.length === 0) return;
    const [first = 0, second = 0] = start;
    const hasHeader = (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
    yield* inflateOnce(hasHeader ? createInflate() : createInflateRaw(), cursor);
  } finally {
    await cursor.close();
  }
}

/** RFC 1952: flags say which fields follow the ten fixed bytes. */
async function skipHeader(cursor: Cursor): Promise<void> {
  const flags = (await cursor.take(10))[3] ?? 0;
  if ((flags & 4) !== 0) {
    const length = (await cursor.take(2)).readUInt16LE(0);
    await cursor.take(length);
  }
  if ((flags & 8) !== 0) await cursor.takeText();
  if ((flags & 16) !== 0) await cursor.takeText();
  if ((flags & 2) !== 0) await cursor.take(2);
}

/** Runs one compressed stream to its own end, and leaves in the cursor what comes after it. */
async function* inflateOnce(engine: Inflate | InflateRaw, cursor: Cursor): AsyncGenerator<Buffer> {
  let taken = 0;
  const ended = Promise.withResolvers<void>();
  engine.once('end', () => ended.resolve());
  engine.once('error', () => ended.resolve());
  const pump = async (): Promise<void> => {
    try {
      while (!engine.readableEnded && !engine.destroyed) {
        const block = await cursor.block();
        if (block === undefined) {
          engine.end();
          return;
        }
        // At its own end zlib stops in the middle of a block, and does not call back.
        await Promise.race([new Promise<void>((resolve) => engine.write(block, () => resolve())), ended.promise]);
        const consumed = engine.bytesWritten - taken;
        taken = engine.bytesWritten;
        cursor.skip(consumed);
        if (consumed < block.length) return;
      }
    } catch (error) {
      engine.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const pumped = pump();
  try {
    for await (const block of engine) yield block as Buffer;
    await pumped;
  } finally {
    engine.destroy();
    ended.resolve();
  }
}

function damaged(message: string): Error {
  return Object.assign(new Error(message), { code: 'Z_DATA_ERROR' });
}
