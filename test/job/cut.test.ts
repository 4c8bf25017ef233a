import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chunkSize, countChunks } from '../../src/folder/chunk-size.ts';
import type { ChunkTable, Cut } from '../../src/format/chunk.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { cutKey, partKey } from '../../src/format/paths.ts';
import type { CutProgress } from '../../src/format/tick.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { type CutAnswer, cutInput, uncut } from '../../src/job/cut.ts';
import { limits } from '../../src/limits.ts';
import type { Clock } from '../../src/ports.ts';
import { checkMark, rememberVersion } from '../../src/task/check-mark.ts';
import type { JobLimits } from '../../src/task/job-limits.ts';
import { defineTask, type Task } from '../../src/task/task.ts';
import { loadItems } from '../../src/worker/open-message.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestClock } from '../support/test-clock.ts';

const jobId = 'j';
const task = defineTask({ description: 'A test', input: z.looseObject({}), example: {}, run: () => 1 });

async function prepare(
  text: string,
  options: {
    workers?: number;
    concurrency?: number;
    limits?: JobLimits;
    inline?: boolean;
    format?: 'lines' | 'ndjson';
  } = {},
) {
  const store = new MemoryStore();
  const clock = new TestClock();
  const body = new TextEncoder().encode(text);
  const etag = (await store.put('in', body)) ?? '';
  const manifest: Manifest = {
    v: 1,
    jobId,
    task: 't',
    createdAt: '',
    bundle: '',
    input: { bucket: 'b', key: 'in', bytes: body.length, etag, format: options.format ?? 'ndjson' },
    options: { concurrency: options.concurrency ?? 1, timeoutMs: 1, attempts: 1, limits: options.limits ?? {} },
    workers: options.workers ?? 5,
    workerMemoryMb: 1,
    inline: options.inline ?? false,
    request: '',
  };
  const cut = (progress: CutProgress = uncut, until = Number.POSITIVE_INFINITY): Promise<CutAnswer> =>
    cutInput({ store, input: store, clock }, { manifest, task, progress, until });
  const tables = (): ChunkTable[] => {
    const found: ChunkTable[] = [];
    for (let part = 0; store.objects.has(partKey(jobId, part)); part++) {
      found.push(store.json(partKey(jobId, part)) as ChunkTable);
    }
    return found;
  };
  return { store, clock, manifest, cut, tables };
}

/** The items of each chunk, as a worker reads them. */
async function readAll(world: Awaited<ReturnType<typeof prepare>>): Promise<Array<{ index: number; item: unknown }>> {
  const all: Array<{ index: number; item: unknown }> = [];
  for (const [part, table] of world.tables().entries()) {
    for (const [chunk, bounds] of table.chunks.entries()) {
      const message = workMessage(jobId, { part, chunk, bounds });
      for (const { index, content } of await loadItems(world.store, { manifest: world.manifest, message, task })) {
        all.push({ index, item: content.ok ? content.item : content.error });
      }
    }
  }
  return all;
}

/** A clock on which each look takes a millisecond. */
function countingClock(): Clock {
  let now = 0;
  return { now: () => now++, after: () => () => undefined };
}

const numbered = (count: number, pad = ''): string =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ n, pad })}\n`).join('');

describe('cutInput', () => {
  it('covers any input exactly: a worker reads each item with its own index', async () => {
    const line = fc.record({ pad: fc.integer({ min: 0, max: 60 }), blanks: fc.integer({ min: 0, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 50 }),
        async (lines, ending, isMarked, workers, pieceBytes) => {
          const body = lines.map(
            ({ pad, blanks }, n) => ending.repeat(blanks) + JSON.stringify({ n, pad: 'é'.repeat(pad) }),
          );
          const world = await prepare(`${isMarked ? '\u{feff}' : ''}${body.join(ending)}`, { workers });
          world.store.pieceBytes = pieceBytes;
          const { progress } = await world.cut();
          expect(progress).toMatchObject({ done: true, items: lines.length });
          const items = await readAll(world);
          expect(items).toEqual(lines.map(({ pad }, n) => ({ index: n, item: { n, pad: 'é'.repeat(pad) } })));
          const chunks = world.tables().flatMap((table) => table.chunks);
          const share = Math.ceil(world.manifest.input.bytes / (limits.chunksPerWorker * workers));
          for (const { start, end, count } of chunks) expect(count === 1 || end - start + 1 <= share).toBe(true);
          expect(progress.chunks).toBe(chunks.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends a chunk at 1,000 items', async () => {
    const world = await prepare(numbered(5_000), { workers: 1 });
    await world.cut();
    const counts = world.tables()[0]?.chunks.map(({ count }) => count) ?? [];
    expect(counts.slice(0, 3)).toEqual([1_000, 1_000, 1_000]);
    expect(Math.max(...counts)).toBe(1_000);
  });

  it('shrinks chunks towards the end of the input, to what a worker runs at once', async () => {
    const world = await prepare(numbered(20_000), { workers: 2, concurrency: 100 });
    await world.cut();
    const chunks = world.tables().flatMap((table) => table.chunks);
    const counts = chunks.map(({ count }) => count);
    expect(counts.slice(0, 18)).toEqual(new Array(18).fill(1_000));
    // Whatever is left is work for both workers. The lines differ by three digits.
    for (const { first, count } of chunks) expect(count).toBeLessThanOrEqual(Math.max(100, (20_000 - first) / 2 + 50));
    for (const count of counts.slice(0, -1)) expect(count).toBeGreaterThanOrEqual(100);
    expect(counts.length).toBeLessThan(26);
  });

  it.each([20_000, 17_777, 6_150, 900, 7])(
    'gives each of four seats that have their chunks in turn as much of %i items as the others',
    async (count) => {
      const world = await prepare(numbered(count), {
        concurrency: 50,
        limits: { rate: { limit: 1_000, perMs: 1_000 } },
      });
      await world.cut();
      const parts = [0, 0, 0, 0];
      for (const [n, { count: items }] of world
        .tables()
        .flatMap(({ chunks }) => chunks)
        .entries())
        parts[n % 4] = (parts[n % 4] ?? 0) + items;
      expect(parts.reduce((sum, part) => sum + part)).toBe(count);
      // The lines differ by some digits, and the last chunks have what one worker runs at once.
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(Math.max(25, 0.01 * count));
    },
  );

  it.each<JobLimits>([
    {},
    { rate: { limit: 10, perMs: 1_000 } },
    { rate: { limit: 1_000, perMs: 1_000 } },
    { maxConcurrency: 500 },
    { toleratedFailureCount: 3 },
  ])('makes as many chunks as a forecast counts with the limits %o', async (of) => {
    const world = await prepare(numbered(6_000), { workers: 3, concurrency: 50, limits: of });
    const { progress } = await world.cut();
    const { bytes } = world.manifest.input;
    const counted = countChunks(chunkSize({ bytes, workers: 3, concurrency: 50, limits: of }), 6_000);
    // The lines differ by three digits.
    expect(Math.abs(counted - progress.chunks)).toBeLessThanOrEqual(2);
  });

  it('ends a chunk at 4 MiB', async () => {
    const world = await prepare(numbered(40, 'x'.repeat(900_000)), { workers: 1 });
    await world.cut();
    const chunks = world.tables().flatMap((table) => table.chunks);
    expect(chunks.map(({ count }) => count).slice(0, 9)).toEqual(new Array(9).fill(4));
    for (const { start, end } of chunks) expect(end - start + 1).toBeLessThanOrEqual(limits.chunkBytes);
  });

  it('makes one chunk of an inline job, whatever its size', async () => {
    const world = await prepare(numbered(1_000, 'x'.repeat(5_000)), { inline: true });
    await world.cut();
    expect(world.tables()[0]?.chunks.map(({ count }) => count)).toEqual([1_000]);
  });

  it('ends a part at 1,000 chunks and names the first index of each part', async () => {
    const world = await prepare(numbered(2_100), { workers: 1_000 });
    const { progress } = await world.cut();
    const tables = world.tables();
    expect(tables.slice(0, -1).map((table) => table.chunks.length)).toEqual(new Array(tables.length - 1).fill(1_000));
    const firsts = tables.map((table) => ({ first: table.chunks[0]?.first, chunks: table.chunks.length }));
    expect(progress.parts).toEqual(firsts);
    expect(world.store.json(cutKey(jobId))).toEqual({
      v: 1,
      items: 2_100,
      chunks: progress.chunks,
      parts: firsts,
    } satisfies { [Key in keyof Cut]: unknown });
  });

  it('writes the same tables from any turn that it goes on from, also when a turn ends within a part', async () => {
    const once = await prepare(numbered(2_500), { workers: 1_000 });
    await once.cut();
    const often = await prepare(numbered(2_500), { workers: 1_000 });
    let { progress } = await often.cut(uncut, 0);
    expect(progress).toEqual(uncut);
    for (let turns = 0; !progress.done; turns++) {
      expect(turns).toBeLessThan(20);
      // Each read of the clock takes a millisecond, so that a turn ends in the middle of a part.
      const { manifest, store } = often;
      const job = { manifest, task, progress, until: 1_400 };
      ({ progress } = await cutInput({ store, input: store, clock: countingClock() }, job));
    }
    expect(often.tables()).toEqual(once.tables());
    expect(often.store.text(cutKey(jobId))).toBe(once.store.text(cutKey(jobId)));
  });

  it.each([
    ['a line that is no JSON', '{}\n\n{}\n{]\n', 'InvalidInput', /^line 4: expected one JSON value/],
    ['an item that the schema refuses', '{}\r\n[]\r\n', 'InvalidItem', /^line 2: /],
    ['an item over 1 MiB', `{}\n{"a":"${'x'.repeat(limits.maxItemBytes)}"}\n`, 'ItemTooLarge', /^line 2: /],
    ['nothing', '', 'EmptyInput', /empty/],
    ['only blank lines', '\n \r\n\t\n', 'EmptyInput', /empty/],
  ])('refuses %s and writes no cut', async (_, text, code, message) => {
    const world = await prepare(text);
    const answer = await world.cut();
    expect(answer.problem).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(answer.progress.done).toBe(false);
    expect(world.store.objects.has(cutKey(jobId))).toBe(false);
  });

  it('names the right line when the refused item stands in a later part of a later turn', async () => {
    const world = await prepare(`${numbered(1_500).replaceAll('\n', '\n\n')}{]\n`, { workers: 1_000 });
    const { manifest, store } = world;
    const job = { manifest, task, progress: uncut, until: 1_000 };
    const first = await cutInput({ store, input: store, clock: countingClock() }, job);
    expect(first.progress.parts).toHaveLength(1);
    const second = await world.cut(first.progress);
    expect(second.problem?.message).toMatch(/^line 3001: /);
  });

  it('answers with a problem when the input changed under it', async () => {
    const world = await prepare(numbered(3));
    await world.store.put('in', 'other');
    expect((await world.cut()).problem?.code).toBe('InvalidInput');
  });

  it('rejects when S3 cannot be reached, so that the turn is taken again', async () => {
    const world = await prepare(numbered(3));
    world.store.before = () => {
      throw new Error('no route');
    };
    await expect(world.cut()).rejects.toThrow('no route');
  });
});

describe('an input that was checked before it was stored', () => {
  /** A task that counts what it validates, of a version. */
  function counted(version: string) {
    const seen: unknown[] = [];
    const input = z.unknown().refine((item) => seen.push(item) > 0);
    return {
      task: rememberVersion(defineTask({ description: 'A test', input, example: {}, run: () => 1 }), version),
      seen,
    };
  }

  async function cutMarked(text: string, checked: string | undefined, task: Task, pieceBytes = 65_536) {
    const world = await prepare(text, { workers: 2, concurrency: 10 });
    world.store.pieceBytes = pieceBytes;
    const { manifest, store, clock } = world;
    const input = { ...manifest.input, ...(checked === undefined ? {} : { checked }) };
    const job = { manifest: { ...manifest, input }, task, progress: uncut, until: Number.POSITIVE_INFINITY };
    return { answer: await cutInput({ store, input: store, clock }, job), tables: world.tables() };
  }

  it('is cut at the same places, and no item of it is validated again', async () => {
    const { task, seen } = counted('file:///t.1.mjs');
    const mark = checkMark(task, 'ndjson');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(80), { minLength: 1, maxLength: 80 }), fc.nat(200), async (pads, piece) => {
        const text = pads.map((pad) => `${JSON.stringify({ pad: 'é'.repeat(pad) })}\n`).join('');
        const marked = await cutMarked(text, mark, task, piece + 1);
        expect(seen).toEqual([]);
        expect(marked).toEqual(await cutMarked(text, undefined, task));
        expect(seen.splice(0)).toHaveLength(pads.length);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['another version', checkMark(counted('file:///t.2.mjs').task, 'ndjson')],
    ['another format', checkMark(counted('file:///t.1.mjs').task, 'entries')],
    ['a task of which no version is known', 'ndjson undefined'],
  ])('is validated all the same where its mark is of %s', async (_, mark) => {
    const { task, seen } = counted('file:///t.1.mjs');
    const { answer } = await cutMarked(numbered(30), mark, task);
    expect(answer.progress).toMatchObject({ done: true, items: 30 });
    expect(seen).toHaveLength(30);
  });

  it('has no mark where the version of the task is not known', () => {
    expect(checkMark(task, 'ndjson')).toBeUndefined();
  });

  it.each([
    ['a blank line', '1\n\n2\n'],
    ['another line end', '1\r\n2\r\n'],
    ['no line end', '1\n2'],
    ['a longer item', `1\n"${'x'.repeat(limits.maxItemBytes)}"\n`],
  ])('is refused when it has %s, which nobody writes who checks it', async (_, text) => {
    const { task } = counted('file:///t.1.mjs');
    const { answer } = await cutMarked(text, checkMark(task, 'ndjson'), task);
    expect(answer.problem).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('as it was checked'),
    });
  });
});
