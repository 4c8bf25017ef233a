import { createHash } from 'node:crypto';
import * as z from 'zod';
import { releasing } from '../../src/connectors/files/blocks.ts';
import { LineCounter, linesWith } from '../../src/connectors/files/file-lines.ts';
import { gzipped } from '../../src/connectors/files/gzip.ts';
import { unpacked } from '../../src/connectors/inflate.ts';
import { limits } from '../../src/limits.ts';
import { defineTask } from '../../src/task/task.ts';

const source = z
  .string('expected s3://bucket/key, or a path where tasks run on this machine')
  .min(1, 'expected s3://bucket/key');

const input = z
  .strictObject({
    from: source,
    to: z
      .string('expected s3://bucket/key, a path, or "job" for the folder of the job')
      .min(1, 'expected s3://bucket/key')
      .optional(),
    filter: z
      .string('expected a text')
      .min(1, 'expected a text that lines contain')
      .regex(/^[^\n]*$/, 'expected a text without a line end')
      .optional(),
    count: z.boolean('expected true or false').default(false),
    sha256: z.boolean('expected true or false').default(false),
    gzip: z.boolean('expected true or false').default(false),
  })
  .refine(({ gzip, to }) => !gzip || to !== undefined, { path: ['to'], error: 'expected a place for the gzip file' });

/** Streams one large file or object: reads it, keeps some lines, counts, hashes, packs, and writes it, with flat memory. */
export const task = defineTask({
  description: 'Streams a large object or file: filter lines, count, sha256, gzip, write',
  input,
  example: { from: 's3://my-bucket/logs/app.log', filter: 'ERROR', count: true, sha256: true, gzip: true, to: 'job' },
  timeoutMs: limits.maxTimeoutMs,
  run: async (item, { signal, idempotencyKey }) => {
    // The S3 client is heavy, and the command line reads this file for its schema alone.
    const { readPlace, writePlace } = await import('../../src/connectors/files/task-storage.ts');
    let bytes = 0;
    const counter = item.count ? new LineCounter() : undefined;
    const hash = item.sha256 ? createHash('sha256') : undefined;

    const seen = measured(readPlace(item.from, { signal }), (block) => {
      bytes += block.byteLength;
    });
    let isUnpacked = false;
    const readable = looksInside(item) ? unpacked(seen, () => (isUnpacked = true)) : seen;
    const filtered = item.filter === undefined ? readable : linesWith(readable, item.filter);
    const passing = measured(filtered, (block) => {
      counter?.add(block);
      hash?.update(block);
    });
    let written: unknown;
    if (item.to === undefined) {
      for await (const _ of releasing(passing));
    } else {
      written = await writePlace(item.to, item.gzip ? gzipped(passing) : passing, {
        signal,
        idempotencyKey,
        folder: 'files',
        contentType: item.gzip ? 'application/gzip' : undefined,
      });
    }
    return {
      bytes,
      ...(isUnpacked ? { unpacked: true } : {}),
      ...(counter === undefined ? {} : { lines: counter.lines }),
      ...(hash === undefined ? {} : { sha256: hash.digest('hex') }),
      ...(written === undefined ? {} : { written }),
    };
  },
});

/** Lines are looked for in what a gzip file holds; what is written is then unpacked too, unless the item packs it again. */
const looksInside = ({ filter, count }: z.output<typeof input>): boolean => filter !== undefined || count;

async function* measured(blocks: AsyncIterable<Buffer>, look: (block: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    look(block);
    yield block;
  }
}
