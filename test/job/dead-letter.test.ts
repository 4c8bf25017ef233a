import { describe, expect, it } from 'vitest';
import { readDigest } from '../../src/folder/read-digest.ts';
import { readChunkRows } from '../../src/folder/read-rows.ts';
import { encodeMessage, parseMessage, type WorkMessage } from '../../src/format/message.ts';
import type { Row } from '../../src/format/outcome.ts';
import { resultKey, segmentKey, segmentName, stalledKey, summaryKey } from '../../src/format/paths.ts';
import { settleDeadLetter } from '../../src/job/dead-letter.ts';
import { limits } from '../../src/limits.ts';
import { encodeRows } from '../support/encode-rows.ts';
import { slowTask, World } from './world.ts';

async function begun() {
  const world = new World();
  const { task } = slowTask(world.clock, () => 1);
  world.tasks = { t: task };
  const { jobId } = await world.ask({ task: 't', items: Array.from({ length: 40 }, (_, n) => ({ n })) });
  const parsed = parseMessage(world.workQueue.sent[0]?.body ?? '');
  if (parsed.kind !== 'message' || parsed.message.kind !== 'work') throw new Error('expected work');
  const work = parsed.message;
  const place = { part: work.part, chunk: work.chunk };
  const bury = (message: object) => settleDeadLetter(world.invoke().deps, JSON.stringify(message));
  const addSegment = (gen: number, rows: readonly Row[]) =>
    world.store.put(
      segmentKey(jobId, place, segmentName({ gen, writer: 'w', k: 0, rows: rows.length })),
      encodeRows(rows),
    );
  return { world, jobId, work, place, bury, addSegment };
}

const row = (index: number): Row => ({ index, status: 'succeeded', value: 'kept', attempts: 1, durationMs: 1 });

/** It was sent again as often as it may be. */
const lastDeath = { deaths: limits.deadWorkDelaysSeconds.length };

describe('a dead chunk', () => {
  it('is sent again to run apart, later each time', async () => {
    const { world, jobId, work, place, bury } = await begun();
    const before = world.workQueue.sent.length;
    let message: object = work;
    for (const [deaths] of limits.deadWorkDelaysSeconds.entries()) {
      await bury(message);
      message = JSON.parse(world.workQueue.sent.at(-1)?.body ?? '{}') as object;
      expect(message).toEqual({ ...work, deaths: deaths + 1 });
    }
    expect(world.workQueue.sent.slice(before).map(({ delaySeconds }) => delaySeconds)).toEqual([0, 60, 300]);
    expect(world.store.objects.has(resultKey(jobId, place))).toBe(false);
  });

  it('fails all its items when it died as often as it was sent, and says nothing of a cause', async () => {
    const { world, jobId, work, place, bury } = await begun();
    await bury({ ...work, ...lastDeath });
    const rows = (await readChunkRows(world.store, jobId, place)) ?? [];
    expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: work.count }, (_, n) => work.first + n));
    for (const one of rows) expect(one).toMatchObject({ status: 'failed', error: { code: 'DeadLetter' }, attempts: 0 });
    expect(await readDigest(world.store, jobId, place)).toMatchObject({
      failed: work.count,
      codes: { DeadLetter: work.count },
    });
  });

  it('keeps the rows that its segments hold', async () => {
    const { world, jobId, work, place, bury, addSegment } = await begun();
    await addSegment(1, [row(work.first)]);
    const only: WorkMessage['only'] = Array.from({ length: work.count - 1 }, (_, n) => [work.first + n + 1, 2]);
    await bury({ ...work, gen: 1, only, ...lastDeath });
    const rows = (await readChunkRows(world.store, jobId, place)) ?? [];
    expect(rows).toHaveLength(work.count);
    expect(rows[0]).toEqual(row(work.first));
    expect(rows[1]).toMatchObject({ status: 'failed', attempts: 2 });
  });

  it('is dropped when its result stands', async () => {
    const { world, jobId, work, place, bury } = await begun();
    await bury({ ...work, ...lastDeath });
    const etag = world.store.objects.get(resultKey(jobId, place))?.etag;
    await bury(work);
    expect(world.store.objects.get(resultKey(jobId, place))?.etag).toBe(etag);
  });

  it('is dropped when a later message goes on with its chunk', async () => {
    const { world, jobId, work, place, bury, addSegment } = await begun();
    await addSegment(1, [row(work.first)]);
    await bury(work);
    expect(world.store.objects.has(resultKey(jobId, place))).toBe(false);
  });

  it('is settled when only its own checkpoints stand', async () => {
    const { world, jobId, work, place, bury, addSegment } = await begun();
    await addSegment(0, [row(work.first)]);
    await bury({ ...work, ...lastDeath });
    expect((await readChunkRows(world.store, jobId, place))?.[0]).toEqual(row(work.first));
  });

  it('of a job that is not there is dropped', async () => {
    const { world, work, bury } = await begun();
    const before = world.store.keys();
    await bury({ ...work, job: 'none' });
    expect(world.store.keys()).toEqual(before);
  });
});

describe('a dead tick', () => {
  it('is sent again after 60 s, 5 min, and 15 min, and then its job is stalled', async () => {
    const { world, jobId, bury } = await begun();
    let tick: object = { v: 1, kind: 'tick', job: jobId, n: 1 };
    const before = world.tickQueue.sent.length;
    for (let death = 0; death < limits.deadTickDelaysSeconds.length; death++) {
      await bury(tick);
      tick = JSON.parse(world.tickQueue.sent.at(-1)?.body ?? '{}') as object;
    }
    const again = world.tickQueue.sent.slice(before);
    expect(again.map(({ delaySeconds }) => delaySeconds)).toEqual([60, 300, 900]);
    expect(world.store.objects.has(stalledKey(jobId))).toBe(false);
    await bury(tick);
    expect(world.store.json(stalledKey(jobId))).toMatchObject({ n: 1 });
    expect(world.lines.at(-1)?.level).toBe('error');
    expect(world.tickQueue.sent).toHaveLength(before + 3);
  });

  it('is dropped when its job has ended', async () => {
    const { world, jobId, bury } = await begun();
    await world.store.put(summaryKey(jobId), '{}');
    const before = world.tickQueue.sent.length;
    await bury({ v: 1, kind: 'tick', job: jobId, n: 1 });
    expect(world.tickQueue.sent).toHaveLength(before);
  });
});

describe('another dead letter', () => {
  it('is dropped when it is none of ours', async () => {
    const { world, bury } = await begun();
    await bury({ hello: 1 });
    expect(world.lines.at(-1)).toMatchObject({ level: 'warn' });
  });

  it('stays for newer code when it is of a newer version', async () => {
    const { bury, work } = await begun();
    await expect(bury({ ...work, v: 2 })).rejects.toThrow(/version 2/);
    expect(encodeMessage(work)).toContain('"v":1');
  });
});
