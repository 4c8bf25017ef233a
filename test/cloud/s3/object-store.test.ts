import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenObject } from '../../../src/cloud/s3/object-file.ts';
import { folderPath, objectPath, parseEntry, toBinaryKey } from '../../../src/cloud/s3/object-path.ts';
import { type Bucket, openObjectStore } from '../../../src/cloud/s3/object-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanloop-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nothing = { headers: {}, metadata: {} };
const open = (): Bucket => {
  const store = openObjectStore(folder);
  store.createBucket('bucket');
  const bucket = store.bucket('bucket');
  if (bucket === undefined) throw new Error('expected the bucket that was made');
  return bucket;
};
async function* bodyOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
const put = (bucket: Bucket, key: string, body: string, condition = {}) =>
  bucket.put(key, bodyOf(body), { ...nothing, condition });
const read = (bucket: Bucket, key: string): string | undefined => {
  const object = bucket.open(key);
  if (object === undefined) return undefined;
  const body = object.read(0, object.record.bytes - 1);
  if (!(body instanceof Uint8Array)) throw new Error('expected a small object to be read at once');
  return body.toString('utf8');
};
async function readWhole(object: OpenObject): Promise<string> {
  const body = object.read(0, object.record.bytes - 1);
  return (body instanceof Uint8Array ? body : Buffer.concat(await body.toArray())).toString();
}
const listAll = (
  bucket: Bucket,
  options: { prefix?: string; delimiter?: string; max?: number; from?: string } = {},
): string[] => {
  const { prefix = '', delimiter = '', max = 1_000 } = options;
  const lines: string[] = [];
  for (let from: string | undefined = options.from ?? ''; from !== undefined; ) {
    const { items, next } = bucket.list({ prefix, delimiter, from, max });
    expect(items.length).toBeLessThanOrEqual(max);
    if (next !== undefined) expect(items.length).toBe(max);
    lines.push(...items.map((item) => (item.kind === 'object' ? item.key : item.prefix)));
    from = next;
  }
  return lines;
};
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Few segments, so that keys meet: equal ones, folders of others, neighbours of the slash, upper case, escapes, and long ones that differ late. */
const segment = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    'a',
    'A',
    'b',
    'a!',
    'a0',
    'a.b',
    '%',
    '%41',
    '+',
    'a+',
    'é',
    '😀',
    '\u2028',
    '\ufffe',
    ' ',
    '\0',
    '-',
    'con',
  ),
  fc.constantFrom(
    ...['x', 'x!', 'y'].map((end) => 'k'.repeat(198) + end),
    ...['', '.', '..', 'x', '~'].map((end) => 'k'.repeat(201) + end),
    'K'.repeat(250),
  ),
);
const key = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((text) => text !== '' && Buffer.byteLength(text) <= 1_024);

describe('objectPath', () => {
  it('gives each key a path of its own that stays in the folder, and is read back from its names', () => {
    const anyKey = fc.oneof(key, fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }));
    fc.assert(
      fc.property(anyKey, (text) => {
        const binary = toBinaryKey(text);
        const names = objectPath(binary).split('/');
        expect(
          names.every(
            (name) => name !== '' && !name.startsWith('.') && name.length <= 255 && /^[a-z0-9._%+-]+$/.test(name),
          ),
        ).toBe(true);
        expect(names.map((name) => parseEntry(name)?.bytes).join('')).toBe(binary);
      }),
    );
  });

  it('puts a key into the folder of its prefix', () => {
    expect(objectPath('Jobs/1/a..b')).toBe('%4aobs/1/a..b+');
    expect(folderPath('Jobs/1/a')).toBe('%4aobs/1/');
  });

  it('takes the longest key that S3 takes, even where every byte is escaped', () => {
    expect(objectPath('A'.repeat(1_024)).length).toBeLessThan(3_200);
  });
});

describe('a bucket on disk', () => {
  it('behaves as a map of keys in byte order does', async () => {
    const condition = fc.option(
      fc.oneof(fc.constant({ ifAbsent: true }), fc.constant('current' as const), fc.constant({ ifMatch: 'other' })),
      { nil: undefined },
    );
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('put' as const), key, body: fc.string({ maxLength: 20 }), condition }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('list' as const),
          prefix: fc.oneof(key, fc.constant(''), fc.constant('a'), fc.constant('a/')),
          delimiter: fc.constantFrom('', '/', '!', 'k', '//'),
          max: fc.constantFrom(1, 2, 1_000),
          after: fc.option(key, { nil: '' }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        run += 1;
        const openRun = (): Bucket => {
          const store = openObjectStore(join(folder, String(run)));
          store.createBucket('bucket');
          return store.bucket('bucket') ?? expect.fail('expected the bucket that was made');
        };
        let bucket = openRun();
        const model = new Map<string, { body: string; etag: string }>();
        for (const one of steps) {
          if (one.do === 'put') {
            const held = model.get(one.key);
            const wanted = one.condition === 'current' ? { ifMatch: held?.etag ?? 'none' } : one.condition;
            const written = await put(bucket, one.key, one.body, wanted);
            const holds =
              wanted === undefined || ('ifAbsent' in wanted ? held === undefined : held?.etag === wanted.ifMatch);
            expect(written.written).toBe(holds);
            if (written.written) model.set(one.key, { body: one.body, etag: written.record.etag });
          } else if (one.do === 'remove') {
            bucket.remove(one.key);
            model.delete(one.key);
          } else if (one.do === 'reopen') bucket = openRun();
          else {
            const from = one.after === '' ? '' : `${toBinaryKey(one.after)}\0`;
            const keys = [...model.keys()]
              .filter((text) => text.startsWith(one.prefix) && (one.after === '' || byBytes(text, one.after) > 0))
              .sort(byBytes);
            const groups = keys.map((text) => {
              const end = one.delimiter === '' ? -1 : text.indexOf(one.delimiter, one.prefix.length);
              return end === -1 ? text : text.slice(0, end + one.delimiter.length);
            });
            expect(listAll(bucket, { ...one, from })).toEqual([...new Set(groups)]);
          }
        }
        expect(listAll(bucket)).toEqual([...model.keys()].sort(byBytes));
        for (const [text, { body, etag }] of model) {
          expect(read(bucket, text)).toBe(body);
          expect(bucket.head(text)?.etag).toBe(etag);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('lets exactly one of many writers create a key, and shows its body whole', async () => {
    const bucket = open();
    const bodies = Array.from({ length: 20 }, (_, index) => [
      String(index).padStart(40_000, '-'),
      String(index).padStart(60_000, '+'),
    ]);
    const written = await Promise.all(
      bodies.map((parts) => bucket.put('a', bodyOf(...parts), { ...nothing, condition: { ifAbsent: true } })),
    );
    const winners = written.flatMap((one, index) => (one.written ? [index] : []));
    expect(winners).toHaveLength(1);
    const object = bucket.open('a') ?? expect.fail('expected an object');
    expect(await readWhole(object)).toBe(bodies[winners[0] ?? -1]?.join(''));
    expect(await readdir(join(bucket.folder, 'staged'))).toEqual([]);
  });

  it('lets exactly one of many writers replace a version', async () => {
    const bucket = open();
    const first = await put(bucket, 'a', 'first');
    const ifMatch = first.written ? first.record.etag : '';
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, index) => put(bucket, 'a', `body ${index}`, { ifMatch })),
    );
    expect(written.filter((one) => one.written)).toHaveLength(1);
    expect(written.filter((one) => !one.written && one.reason === 'changed')).toHaveLength(19);
  });

  it.each([1_000, 100_000, 1_000_000])(
    'keeps what is being read whole while its key is overwritten and deleted: %d words',
    async (words) => {
      const bucket = open();
      const old = 'old '.repeat(words);
      await put(bucket, 'a', old);
      const object = bucket.open('a') ?? expect.fail('expected an object');
      await put(bucket, 'a', 'new');
      bucket.remove('a');
      expect(await readWhole(object)).toBe(old);
      object.close();
    },
  );

  it('removes what a killed process left half written, and shows none of it', async () => {
    const bucket = open();
    await put(bucket, 'whole', 'whole');
    await writeFile(join(bucket.folder, 'staged', 'half'), 'half a bo');
    const again = open();
    expect(listAll(again)).toEqual(['whole']);
    await expect(readdir(join(again.folder, 'staged'))).rejects.toThrow('ENOENT');
  });

  it('leaves no file behind when a body breaks', async () => {
    const bucket = open();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000);
      throw new Error('the connection broke');
    }
    await expect(bucket.put('a', broken(), nothing)).rejects.toThrow('the connection broke');
    expect(bucket.head('a')).toBeUndefined();
    expect(await readdir(join(bucket.folder, 'staged'))).toEqual([]);
  });

  it('holds only whole objects after its process was killed while it wrote', async () => {
    const writer = fork(join(import.meta.dirname, 'object-writer.ts'), [folder], { execArgv: [] });
    const exited = once(writer, 'exit');
    for (let count = 0; count < 40; count += 1) await once(writer, 'message');
    writer.kill('SIGKILL');
    await exited;
    const bucket = open();
    const keys = listAll(bucket);
    expect(keys.length).toBeGreaterThanOrEqual(40);
    for (const one of keys) {
      const object = bucket.open(one) ?? expect.fail('expected an object');
      const body = object.read(0, object.record.bytes - 1);
      const bytes = body instanceof Uint8Array ? body : Buffer.concat(await Array.fromAsync(body));
      expect(bytes.byteLength).toBe(object.record.bytes);
      expect(createHash('md5').update(bytes).digest('hex')).toBe(object.record.etag);
      expect(object.record.metadata).toEqual({ key: one });
    }
  });

  it('removes the folders that its last key leaves empty', async () => {
    const bucket = open();
    await put(bucket, 'a/b/c', 'x');
    await put(bucket, 'a/d', 'x');
    bucket.remove('a/b/c');
    expect(await readdir(join(bucket.folder, 'objects', 'a'))).toEqual(['d+']);
    bucket.remove('a/d');
    expect(await readdir(join(bucket.folder, 'objects'))).toEqual([]);
  });
});
