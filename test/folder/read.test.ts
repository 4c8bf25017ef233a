import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { listJobs } from '../../src/folder/list-jobs.ts';
import { lastTick } from '../../src/folder/read.ts';
import { readDigest } from '../../src/folder/read-digest.ts';
import { mergeRows, readChunkRows, readRowLines, readRows } from '../../src/folder/read-rows.ts';
import { SettledChunks } from '../../src/folder/settled-chunks.ts';
import { settleRest, storeResult } from '../../src/folder/store-result.ts';
import { chunkTableFormat, cutFormat } from '../../src/format/chunk.ts';
import { emptyDigest } from '../../src/format/digest.ts';
import { toJsonLines } from '../../src/format/json.ts';
import type { Row } from '../../src/format/outcome.ts';
import {
  cutKey,
  manifestKey,
  partKey,
  resultKey,
  segmentKey,
  summaryKey,
  tickKey,
  tickNumber,
} from '../../src/format/paths.ts';
import { decodeRows, lineOf } from '../../src/format/result.ts';
import { limits } from '../../src/limits.ts';
import { slowTask, World } from '../job/world.ts';
import { encodeRows } from '../support/encode-rows.ts';
import { goldenRecord } from '../support/golden-record.ts';
import { MemoryStore } from '../support/memory-store.ts';

const at = { job: 'j', place: { part: 0, chunk: 0 } };
const row = (index: number, value: unknown = index): Row => ({
  index,
  status: 'succeeded',
  value,
  attempts: 1,
  durationMs: 1,
});

describe('rows', () => {
  it('come back as they were written, with every odd character', () => {
    const rows = ['\u{2028}\n\r', '\ud800', '\u{feff}\u{fffe}', { ['__proto__']: 1 }, null, '  '].map((value, n) =>
      row(n, value),
    );
    expect(JSON.stringify(decodeRows(encodeRows(rows)).rows)).toBe(JSON.stringify(rows));
    expect(decodeRows(encodeRows([], ['s']))).toEqual({ segments: ['s'], rows: [] });
  });

  it('merge to one an index, the first list’s, in order', () => {
    expect(mergeRows([[row(3, 'a'), row(1, 'a')], [row(1, 'b'), row(2, 'b')], []])).toEqual([
      row(1, 'a'),
      row(2, 'b'),
      row(3, 'a'),
    ]);
  });

  it('are counted again where the metadata of their result says nothing', async () => {
    const store = new MemoryStore();
    const key = resultKey('j', at.place);
    for (const metadata of [{}, { digest: '{"v":3' }, { digest: 'no digest' }]) {
      await store.put(key, encodeRows([row(0), { ...row(1), status: 'cancelled', attempts: 0 } as Row]), { metadata });
      expect(await readDigest(store, 'j', at.place)).toMatchObject({ succeeded: 1, cancelled: 1, attempts: 1 });
    }
  });

  it('of a chunk are those of its result and of the segments that it names, and of no others', async () => {
    const store = new MemoryStore();
    for (const [name, index] of [
      ['0000000-w-0', 2],
      ['0000001-w-1', 0],
      ['0000001-other-0', 1],
    ] as const) {
      await store.put(segmentKey('j', at.place, name), encodeRows([row(index, name)]));
    }
    await storeResult(store, at, {
      writer: 'w',
      rows: [lineOf(row(1, 'mine'))],
      segments: ['0000000-w-0', '0000001-w-1'],
      digest: emptyDigest,
    });
    expect(await readChunkRows(store, 'j', at.place)).toEqual([
      row(0, '0000001-w-1'),
      row(1, 'mine'),
      row(2, '0000000-w-0'),
    ]);
  });

  it('are written the same whether their value is a text already or not', () => {
    const about = fc.record({ key: fc.oneof(fc.string(), fc.integer()), item: fc.jsonValue() }, { requiredKeys: [] });
    const took = fc.record({ at: fc.integer() }, { requiredKeys: [] });
    fc.assert(
      fc.property(about, fc.jsonValue(), took, fc.nat(), (said, value, begun, index) => {
        const of = { index, ...said, status: 'succeeded', value, attempts: 1, durationMs: 2, ...begun } as const;
        expect(lineOf({ ...of, value: undefined }, JSON.stringify(value))).toEqual(lineOf(of));
      }),
    );
  });

  it('are the same as text, of which nothing is parsed', async () => {
    const store = new MemoryStore();
    const body = (rows: readonly Row[], segments?: readonly string[]) => encodeRows(rows, segments);
    const table = [0, 2, 4].map((first) => ({ start: 0, end: 0, first, count: 2 }));
    await store.put(cutKey('j'), cutFormat.encode({ v: 1, items: 6, chunks: 3, parts: [{ first: 0, chunks: 3 }] }));
    await store.put(partKey('j', 0), chunkTableFormat.encode({ v: 1, chunks: table }));
    await store.put(resultKey('j', { part: 0, chunk: 0 }), body([row(0), row(1)]));
    await store.put(segmentKey('j', { part: 0, chunk: 1 }, 's'), body([row(3, 'early')]));
    await store.put(resultKey('j', { part: 0, chunk: 1 }), body([row(2)], ['s']));
    const parse = vi.spyOn(JSON, 'parse');
    const text = Buffer.concat(await Array.fromAsync(readRowLines(store, 'j'))).toString();
    expect(parse.mock.calls.filter(([given]) => given.includes('"index"'))).toEqual([]);
    parse.mockRestore();
    expect(text).toBe(toJsonLines((await Array.fromAsync(readRows(store, 'j'))).flat()));
    expect(text.trimEnd().split('\n')).toHaveLength(4);
  });

  it('say which segment is missing', async () => {
    const store = new MemoryStore();
    await storeResult(store, at, { writer: 'w', rows: [], segments: ['0000000-w-0'], digest: emptyDigest });
    await expect(readChunkRows(store, 'j', at.place)).rejects.toThrow(/segment 0000000-w-0/);
  });

  it('of a chunk without a result are not there', async () => {
    expect(await readChunkRows(new MemoryStore(), 'j', at.place)).toBeUndefined();
  });

  it('are settled once when many settle the rest of a chunk', async () => {
    const store = new MemoryStore();
    const chunk = { start: 0, end: 1, first: 0, count: 3 };
    const rest = (writer: string) =>
      settleRest(store, { ...at, chunk }, { writer, makeRow: (index) => row(index, writer) });
    expect((await Promise.all(['a', 'b', 'c'].map(rest))).filter(Boolean)).toHaveLength(1);
    expect(
      new Set((await readChunkRows(store, 'j', at.place))?.map((one) => one.status === 'succeeded' && one.value)).size,
    ).toBe(1);
  });

  it('come chunk by chunk in input order, at most some chunks early', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    world.tasks = { t: task };
    const { jobId } = await world.ask({ task: 't', items: Array.from({ length: 60 }, (_, n) => ({ n })) });
    world.start();
    await world.untilEnd(jobId);
    world.stop();
    world.store.calls.length = 0;
    const indexes: number[] = [];
    for await (const rows of readRows(world.store, jobId, { ahead: 2 })) {
      const early = world.store.calls.filter(({ key }) => key.includes('/results/')).length;
      if (indexes.length === 0) expect(early).toBeLessThanOrEqual(3);
      indexes.push(...rows.map(({ index }) => index));
    }
    expect(indexes).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });
});

describe('the folder', () => {
  it('lists the newest turn first', async () => {
    const store = new MemoryStore();
    for (const n of [0, 9, 10, 123]) await store.put(tickKey('j', n), goldenRecord('tick-last', { n }));
    expect((await lastTick(store, 'j'))?.n).toBe(123);
    expect(tickNumber(tickKey('j', 123))).toBe(123);
  });

  it('lists jobs newest first with their summaries, and leaves out those without a manifest or with a newer one', async () => {
    const store = new MemoryStore();
    for (const id of ['c', 'a', 'b']) await store.put(manifestKey(id), goldenRecord('manifest', { jobId: id }));
    await store.put('jobs/0/input.ndjson', '');
    await store.put(manifestKey('bb'), goldenRecord('manifest', { v: 2, later: true }));
    await store.put(summaryKey('b'), goldenRecord('summary', { jobId: 'b' }));
    await store.put('tokens/x.json', '{}');
    const found: Array<[string, boolean]> = [];
    for await (const job of listJobs(store)) found.push([job.jobId, 'summary' in job && job.summary !== undefined]);
    expect(found).toEqual([
      ['a', false],
      ['b', true],
      ['c', false],
    ]);
    const first: string[] = [];
    for await (const { jobId } of listJobs(store, { limit: 1 })) first.push(jobId);
    expect(first).toEqual(['a']);
  });

  it('lists a job whose records cannot be read with what is wrong', async () => {
    const store = new MemoryStore();
    for (const id of ['a', 'b']) await store.put(manifestKey(id), goldenRecord('manifest', { jobId: id }));
    await store.put(summaryKey('a'), '"x"');
    const found = await Array.fromAsync(listJobs(store));
    expect(found).toEqual([
      { jobId: 'a', problem: expect.stringContaining('jobs/a/summary.json is damaged: expected a summary') },
      expect.objectContaining({ jobId: 'b' }),
    ]);
  });

  it('tells how many items are settled while the job runs, and all of them at its end', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    world.tasks = { t: task };
    const { jobId } = await world.ask({
      task: 't',
      items: Array.from({ length: 200 }, (_, n) => ({ n, ms: 2_000 })),
      options: { concurrency: 10 },
    });
    const settled = new SettledChunks(world.store, jobId);
    expect(await settled.refresh()).toMatchObject({ items: 0, chunks: 0, of: { items: 200 } });
    world.start();
    const counts: number[] = [];
    const ended = world.untilEnd(jobId);
    const watch = (): void => {
      void settled.refresh().then(({ items }) => counts.push(items));
      world.clock.after(limits.controlMs, watch);
    };
    watch();
    await ended;
    world.stop();
    expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
    expect(await settled.refresh()).toMatchObject({ items: 200 });
  });
});
