import { describe, expect, it } from 'vitest';
import { SettledChunks } from '../../src/folder/settled-chunks.ts';
import { cutKey, partKey, resultKey, segmentKey, segmentName } from '../../src/format/paths.ts';
import { MemoryStore } from '../support/memory-store.ts';

const jobId = '0123456789abcdefghjk';

/** A job that is cut into parts of chunks of 10 items. */
async function jobOf(parts: readonly number[]) {
  const store = new MemoryStore();
  const cut = { v: 1, items: 0, chunks: 0, parts: parts.map((chunks) => ({ first: 0, chunks })) };
  for (const [part, chunks] of parts.entries()) {
    cut.items += 10 * chunks;
    cut.chunks += chunks;
    await store.put(
      partKey(jobId, part),
      JSON.stringify({ v: 1, chunks: new Array(chunks).fill({ start: 0, end: 0, first: 0, count: 10 }) }),
    );
  }
  await store.put(cutKey(jobId), JSON.stringify(cut));
  const settle = (part: number, chunk: number) => store.put(resultKey(jobId, { part, chunk }), '');
  const storeEarly = (chunk: number, writer: string, rows: number, part = 0) =>
    store.put(segmentKey(jobId, { part, chunk }, segmentName({ gen: 0, writer, k: 0, rows })), '');
  return { store, settle, storeEarly, settled: new SettledChunks(store, jobId) };
}

describe('SettledChunks', () => {
  it('gives each settled chunk once, over parts', async () => {
    const { settle, settled } = await jobOf([2, 2]);
    expect(await settled.refresh()).toMatchObject({ items: 0, chunks: 0, fresh: [] });
    await settle(0, 1);
    expect(await settled.refresh()).toMatchObject({ items: 10, fresh: [{ part: 0, chunk: 1 }] });
    await settle(0, 0);
    await settle(1, 1);
    const both = [
      { part: 0, chunk: 0 },
      { part: 1, chunk: 1 },
    ];
    expect(await settled.refresh()).toMatchObject({ items: 30, chunks: 3, fresh: both });
    await settle(1, 0);
    expect(await settled.refresh()).toMatchObject({ items: 40, chunks: 4, fresh: [{ part: 1, chunk: 0 }] });
    expect((await settled.refresh()).fresh).toEqual([]);
  });

  it('lists nothing again below the first chunk that is not settled', async () => {
    const { store, settle, settled } = await jobOf([50]);
    for (let chunk = 0; chunk < 40; chunk++) await settle(0, chunk);
    await settled.refresh();
    const listed: number[] = [];
    const list = store.list.bind(store);
    store.list = async (...given) => {
      const keys = await list(...given);
      listed.push(keys.length);
      return keys;
    };
    await settle(0, 41);
    expect(await settled.refresh()).toMatchObject({ items: 410 });
    expect(listed).toEqual([1]);
  });

  it('counts rows that are stored early, each chunk at most once, while no chunk settles', async () => {
    const { settle, storeEarly, settled } = await jobOf([3]);
    await storeEarly(0, 'a', 4);
    await storeEarly(1, 'a', 7);
    // The worker died, and the next one began again.
    await storeEarly(1, 'b', 8);
    expect(await settled.refresh()).toMatchObject({ items: 14, chunks: 0 });
    await settle(0, 0);
    expect(await settled.refresh()).toMatchObject({ items: 20, chunks: 1 });
    await settle(0, 1);
    expect(await settled.refresh()).toMatchObject({ items: 20, chunks: 2 });
  });

  it('counts both at one deep look', async () => {
    const { settle, storeEarly, settled } = await jobOf([3]);
    await settle(0, 0);
    await storeEarly(1, 'a', 7);
    expect(await settled.count()).toMatchObject({ items: 17, chunks: 1 });
  });

  it('reads segments of an older version, whose names do not tell their rows', async () => {
    const { store, settled } = await jobOf([1]);
    await store.put(segmentKey(jobId, { part: 0, chunk: 0 }, '0000000-0f3a-11-0'), '');
    expect(await settled.refresh()).toMatchObject({ items: 0 });
  });
});
