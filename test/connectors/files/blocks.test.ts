import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { release, releasing } from '../../../src/connectors/files/blocks.ts';
import { gzipped } from '../../../src/connectors/files/gzip.ts';

const isFree = (block: Buffer): boolean => block.buffer.byteLength === 0;

describe('a released block', () => {
  test('that owns its memory frees it', () => {
    const block = Buffer.alloc(100_000);
    release(block);
    expect(isFree(block)).toBe(true);
  });

  test('that is cut from a longer buffer frees it with the last piece only', () => {
    const whole = Buffer.alloc(100_000);
    release(whole.subarray(0, 60_000));
    expect(isFree(whole)).toBe(false);
    release(whole.subarray(60_000));
    expect(isFree(whole)).toBe(true);
  });

  test('that shares a slab with others leaves them alone, even at the end of the slab', () => {
    const blocks = Array.from({ length: 3 * Buffer.poolSize }, () => Buffer.from('x'));
    for (const block of blocks) release(block);
    expect(blocks.every((block) => block.toString() === 'x')).toBe(true);
  });
});

test('blocks that pass are whole when they arrive', async () => {
  const seen: number[] = [];
  const blocks = [Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2)];
  for await (const block of releasing(from(blocks))) seen.push(block.byteLength);
  expect(seen).toEqual([70_000, 70_000]);
  expect(blocks.every(isFree)).toBe(true);
});

describe('a packed stream', () => {
  test('unpacks to what it was', async () => {
    const packed = await Array.fromAsync(gzipped(from([Buffer.from('one'), Buffer.alloc(1_000_000, 'x')])));
    expect(gunzipSync(Buffer.concat(packed)).toString()).toBe(`one${'x'.repeat(1_000_000)}`);
  });

  test('fails with its source', async () => {
    const failure = new Error('the source broke');
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('one');
      throw failure;
    };
    await expect(Array.fromAsync(gzipped(broken()))).rejects.toBe(failure);
  });

  test('that is read no further ends its source', async () => {
    const ended = Promise.withResolvers<void>();
    const endless = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(100_000, 'x');
      } finally {
        ended.resolve();
      }
    };
    for await (const _ of gzipped(endless())) break;
    await ended.promise;
  });
});

async function* from(blocks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* blocks;
}
