import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cancelJob, resumeJobs } from '../../src/client/steer.ts';
import { lastTick, readSummary, readTick } from '../../src/folder/read.ts';
import { settleRest } from '../../src/folder/store-result.ts';
import { encodeMessage, parseMessage, type TickMessage } from '../../src/format/message.ts';
import { resultKey, segmentKey, segmentName, summaryKey, tickKey } from '../../src/format/paths.ts';
import type { FanOutRequest } from '../../src/format/request.ts';
import { sendDueTick } from '../../src/job/due-tick.ts';
import { runTick } from '../../src/job/run-tick.ts';
import { takeTick } from '../../src/job/take-tick.ts';
import { limits } from '../../src/limits.ts';
import { fanOut } from '../../src/start/fan-out.ts';
import { defineTask } from '../../src/task/task.ts';
import { SeatLease } from '../../src/worker/seat-lease.ts';
import { encodeRows } from '../support/encode-rows.ts';
import { goldenRecord } from '../support/golden-record.ts';
import { slowTask, World } from './world.ts';

/** A job of some chunks whose turn 0 is over. */
async function begun(count = 40, request: Partial<FanOutRequest> = {}) {
  const world = new World();
  const { task } = slowTask(world.clock, () => 1);
  world.tasks = { t: task };
  const items = Array.from({ length: count }, (_, n) => ({ n }));
  const { jobId } = await world.ask({ task: 't', items, ...request });
  const ask = (n: number, more: Partial<TickMessage> = {}) =>
    runTick(
      world.invoke().deps,
      { v: 1, kind: 'tick', job: jobId, n, ...more },
      { until: world.clock.now() + 120_000 },
    );
  /** Takes a turn as the tick does that the turn before has sent. */
  const take = async (n: number, more: Partial<TickMessage> = {}) => {
    const before = n === 0 ? undefined : await readTick(world.store, jobId, n - 1);
    return ask(n, { ...(before === undefined ? {} : { after: before.writer }), ...more });
  };
  const chunks = () =>
    world.workQueue.sent
      .map(({ body }) => parseMessage(body))
      .map((parsed) => (parsed.kind === 'message' && parsed.message.kind === 'work' ? parsed.message : undefined));
  const settle = async (chunk: number): Promise<void> => {
    const message = chunks().find((one) => one?.chunk === chunk);
    if (message === undefined) throw new Error(`expected chunk ${chunk} to have been sent`);
    const bounds = { start: message.range[0], end: message.range[1], first: message.first, count: message.count };
    const makeRow = (index: number) => ({ index, status: 'succeeded', value: 1, attempts: 1, durationMs: 1 }) as const;
    await settleRest(world.store, { job: jobId, place: { part: 0, chunk }, chunk: bounds }, { writer: 'x', makeRow });
  };
  /** Turns that were sent; beside them goes the one message that looks after the job. */
  const ticks = () =>
    world.tickQueue.sent
      .map(({ body, delaySeconds }) => ({ ...(JSON.parse(body) as TickMessage), delaySeconds }))
      .filter(({ guard }) => guard !== true)
      .map(({ n, delaySeconds }) => ({ n, delaySeconds }));
  return { world, jobId, ask, take, chunks, settle, ticks };
}

describe('runTick', () => {
  it('records the turn before its effects, and sends the next tick last', async () => {
    const { world, jobId, ticks, chunks } = await begun();
    const record = await readTick(world.store, jobId, 0);
    expect(record?.send).toEqual([0, chunks().length]);
    expect(ticks()).toEqual([{ n: 1, delaySeconds: 1 }]);
    expect(world.tickQueue.sent[0]?.group).toBe(jobId);
  });

  it('writes the summary when the last chunk is settled, and sends no further tick', async () => {
    const { world, jobId, take, settle, chunks, ticks } = await begun();
    const count = chunks().length;
    for (let chunk = 0; chunk < count; chunk++) await settle(chunk);
    expect(await take(1)).toEqual({ kind: 'done' });
    expect(await readSummary(world.store, jobId)).toMatchObject({
      end: 'done',
      items: 40,
      chunks: count,
      totals: { succeeded: 40, failed: 0, cancelled: 0 },
      messages: count,
      turns: 2,
    });
    expect(ticks()).toHaveLength(1);
    expect(await take(2)).toEqual({ kind: 'done' });
    expect(world.store.objects.has(tickKey(jobId, 2))).toBe(false);
  });

  it('takes no turn early when a twin takes the same turn in this moment', async () => {
    const { world, jobId, take } = await begun();
    world.store.before = async ({ operation, key }) => {
      if (operation !== 'list' || !key.endsWith('/ticks/')) return;
      world.store.before = undefined;
      await take(1);
    };
    expect(await take(1)).toMatchObject({ kind: 'later' });
    expect(await lastTick(world.store, jobId)).toMatchObject({ n: 1 });
  });

  it('drops a twin of a turn whose next one stands', async () => {
    const { world, jobId, take, ticks, chunks } = await begun();
    const sent = chunks().length;
    await take(1);
    expect(await take(0)).toEqual({ kind: 'done' });
    expect(chunks()).toHaveLength(sent);
    expect(ticks().map(({ n }) => n)).toEqual([1, 2]);
    expect((await lastTick(world.store, jobId))?.n).toBe(1);
  });

  it('keeps a twin away while the next turn may still come', async () => {
    const { world, take, ticks } = await begun();
    expect(await take(0)).toEqual({ kind: 'later', delaySeconds: 61 });
    await world.clock.advance(31_000);
    expect(await take(0)).toEqual({ kind: 'later', delaySeconds: 30 });
    expect(ticks()).toHaveLength(1);
  });

  it('does the effects of a lost turn again when the next one is overdue, and leaves out what has settled', async () => {
    const { world, take, settle, chunks, ticks } = await begun();
    const sent = chunks().length;
    await settle(0);
    await settle(2);
    await world.clock.advance(61_000);
    expect(await take(0)).toEqual({ kind: 'done' });
    expect(chunks()).toHaveLength(2 * sent - 2);
    expect(
      chunks()
        .slice(sent)
        .map((message) => message?.chunk),
    ).not.toContain(2);
    expect(ticks().map(({ n }) => n)).toEqual([1, 1]);
  });

  it('never skips the effects of a turn that died after its record, whoever asks early for the next one', async () => {
    const { world, jobId, ask, chunks } = await begun();
    const sent = chunks().length;
    world.workQueue.messages = [];
    world.tickQueue.messages = [];
    // Turn 0 has just been recorded, and whoever took it may still be sending.
    expect(await ask(1)).toEqual({ kind: 'later', delaySeconds: 6 });
    expect(chunks()).toHaveLength(sent);
    await world.clock.advance(6_000);
    expect(await ask(1)).toEqual({ kind: 'done' });
    expect(chunks()).toHaveLength(2 * sent);
    expect((await lastTick(world.store, jobId))?.n).toBe(1);
  });

  it('takes a turn that is due although somebody asked for it before, and takes it once', async () => {
    const { world, jobId, ask, take, chunks } = await begun();
    const sent = chunks().length;
    expect(await ask(1)).toMatchObject({ kind: 'later' });
    await world.clock.advance(1_000);
    expect(await take(1)).toEqual({ kind: 'done' });
    await world.clock.advance(5_000);
    expect(await ask(1)).toMatchObject({ kind: 'later' });
    expect((await lastTick(world.store, jobId))?.n).toBe(1);
    expect(chunks()).toHaveLength(sent);
  });

  it('takes one turn when many ticks of it come at once', async () => {
    const { world, jobId, take, ticks } = await begun();
    const answers = await Promise.all(Array.from({ length: 6 }, () => take(1)));
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect((await lastTick(world.store, jobId))?.n).toBe(1);
    expect(ticks().map(({ n }) => n)).toEqual([1, 2]);
  });

  it('knows its own record when the answer to its write was lost', async () => {
    const { world, jobId, take, ticks } = await begun();
    const put = world.store.put.bind(world.store);
    world.store.put = async (key, body, options) => {
      if (key === tickKey(jobId, 1)) await put(key, body, options);
      return put(key, body, options);
    };
    expect(await take(1)).toEqual({ kind: 'done' });
    expect(ticks().map(({ n }) => n)).toEqual([1, 2]);
  });

  it('sends none again that a worker has begun when the effects of a turn are done again, and says of the others that they may be there twice', async () => {
    const { world, jobId, take, chunks } = await begun();
    const sent = chunks().length;
    const name = segmentName({ gen: 0, writer: 'w', k: 0, rows: 1 });
    await world.store.put(segmentKey(jobId, { part: 0, chunk: 1 }, name), encodeRows([]));
    await world.clock.advance(62_000);
    await take(0);
    const again = chunks().slice(sent);
    expect(again.map((message) => message?.chunk)).toEqual([0, ...Array.from({ length: sent - 2 }, (_, n) => n + 2)]);
    expect(again.every((message) => message?.again === true)).toBe(true);
  });

  it('sends unsettled chunks again with a later generation when it is asked to', async () => {
    const { take, settle, chunks } = await begun();
    const sent = chunks().length;
    await settle(1);
    await take(1, { resend: true });
    const again = chunks().slice(sent);
    expect(again.map((message) => message?.chunk)).toEqual([0, ...Array.from({ length: sent - 2 }, (_, n) => n + 2)]);
    expect(new Set(again.map((message) => message?.gen))).toEqual(new Set([100_000]));
  });

  it('rings for the seats of a job that nobody has steered when their bells were lost, though its holder seems to live', async () => {
    const { world, jobId, take } = await begun(40, { options: { limits: { maxConcurrency: 5 } } });
    const { lease } = await SeatLease.take(
      world.invoke().deps,
      { id: jobId, pass: 0 },
      { seat: 0, stored: undefined, intervalMs: 0 },
    ).then((claim) => (claim.kind === 'taken' ? claim : { lease: undefined }));
    expect(lease?.isLive(world.clock.now())).toBe(true);
    const before = world.workQueue.sent.length;
    await take(1, { resend: true });
    const bells = world.workQueue.sent.slice(before).map(({ body }) => JSON.parse(body) as object);
    expect(bells).toMatchObject([{ kind: 'seat', job: jobId, seat: 0 }]);
  });

  it('survives the loss of every message: chunks are sent again, and the job ends', async () => {
    const { world, jobId } = await begun();
    world.workQueue.messages = [];
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 40);
    expect(summary.wallMs).toBeLessThan(150_000);
  });

  it('drops a tick of a job that is not there', async () => {
    const world = new World();
    const tick = { v: 1, kind: 'tick', job: 'none', n: 0 } as const;
    expect(await runTick(world.invoke().deps, tick, { until: 0 })).toEqual({ kind: 'done' });
    expect(world.tickQueue.sent).toEqual([]);
  });

  it('goes on to the end of a job whose task was taken out of the stack', async () => {
    const { world, jobId } = await begun();
    world.tasks = {};
    world.start();
    expect(await world.untilEnd(jobId)).toMatchObject({
      end: 'done',
      totals: { failed: 40, codes: { UnknownTask: 40 } },
    });
    world.stop();
    await world.expectWhole(jobId, 40);
  });

  it('refuses the whole job for one bad line, and nothing of it is sent', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    world.tasks = { t: task };
    await world.store.put('in', '{}\n{}\n[]\n');
    const { jobId } = await world.ask({ task: 't', input: 's3://b/in' });
    expect(await readSummary(world.store, jobId)).toMatchObject({
      end: 'refused',
      problem: { code: 'InvalidItem', message: expect.stringMatching(/^line 3: /) },
    });
    expect(world.workQueue.sent).toEqual([]);
    expect(await world.rows(jobId)).toEqual([]);
  });

  it('sends a lost chunk again while the queue is full of messages of others', async () => {
    const { world, jobId } = await begun();
    world.workQueue.messages = [];
    const foreign = () => world.workQueue.send(['{"v":9}'], { group: 'other' });
    for (let n = 0; n < 20; n++) await foreign();
    for (let n = 0; n < 2; n++) await world.workQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 43_200 });
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 40);
    expect(summary.wallMs).toBeLessThan(100_000);
  });

  it('refuses a job whose schema is too slow to check a part in a turn, instead of trying for ever', async () => {
    const world = new World();
    const slow = z.looseObject({}).refine(async () => {
      await world.clock.sleep(2_000);
      return true;
    });
    world.tasks = { t: defineTask({ description: 'A test', input: slow, example: {}, run: () => 1 }) };
    await world.store.put('in', '{}\n'.repeat(200));
    const { jobId } = await world.ask({ task: 't', input: 's3://b/in' });
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({
      end: 'refused',
      problem: { code: 'InvalidInput', message: expect.stringMatching(/line 0 .*120 s/) },
    });
    expect(summary.turns).toBeLessThan(10);
    expect(world.workQueue.sent).toEqual([]);
  });
});

describe('takeTick', () => {
  const receive = async (world: World) => {
    const [received] = await world.tickQueue.receive({
      max: 1,
      waitSeconds: 0,
      visibilitySeconds: limits.tickQueueVisibilitySeconds,
    });
    if (received === undefined) throw new Error('expected a message');
    return received;
  };

  it('is held only while its invocation can run, so that a dead one comes back soon', async () => {
    const { world } = await begun();
    await world.clock.advance(1_000);
    const life = world.invoke();
    const received = await receive(world);
    world.store.before = life.die;
    void takeTick(life.deps, received, 0);
    await world.clock.settle();
    const [message] = world.tickQueue.messages;
    expect((message?.visibleAt ?? 0) - world.clock.now()).toBeLessThanOrEqual((limits.tickTimeoutSeconds + 60) * 1_000);
  });

  it('comes back in seconds when S3 cannot be reached', async () => {
    const { world } = await begun();
    await world.clock.advance(1_000);
    world.store.before = () => {
      throw new Error('no route');
    };
    await expect(takeTick(world.invoke().deps, await receive(world), 0)).rejects.toThrow('no route');
    expect((world.tickQueue.messages[0]?.visibleAt ?? 0) - world.clock.now()).toBeLessThanOrEqual(10_000);
  });

  it.each(['the answer to its record was lost', 'its next tick was refused'])(
    'goes on with its own turn when it comes back: %s',
    async (what) => {
      const { world, jobId, ticks } = await begun();
      await world.clock.advance(1_000);
      world.store.after = ({ operation, key }) => {
        if (what.includes('record') && operation === 'put' && key.includes('/ticks/')) throw new Error('no answer');
      };
      world.tickQueue.before = (operation) => {
        if (operation === 'send') throw new Error('no answer');
      };
      await expect(takeTick(world.invoke().deps, await receive(world), 0)).rejects.toThrow('no answer');
      world.store.after = undefined;
      world.tickQueue.before = undefined;
      expect((await readTick(world.store, jobId, 1))?.n).toBe(1);
      await world.clock.advance(10_000);
      expect(await takeTick(world.invoke().deps, await receive(world), 0)).toBe('done');
      expect(ticks().map(({ n }) => n)).toEqual([1, 2]);
    },
  );

  it('takes its turn once when SQS gives its message to two at once', async () => {
    const { world, jobId, ticks } = await begun();
    await world.clock.advance(1_000);
    const received = await receive(world);
    const answers = await Promise.all([1, 2].map(() => takeTick(world.invoke().deps, received, 0)));
    expect(answers.toSorted()).toEqual(['done', 'later']);
    expect((await readTick(world.store, jobId, 1))?.n).toBe(1);
    expect(ticks().map(({ n }) => n)).toEqual([1, 2]);
  });

  it('stays invisible until its turn is overdue when it is a twin', async () => {
    const { world, jobId } = await begun();
    await world.tickQueue.send([encodeMessage({ v: 1, kind: 'tick', job: jobId, n: 0 })], { group: jobId });
    expect(await takeTick(world.invoke().deps, await receive(world), 0)).toBe('later');
    const twin = world.tickQueue.messages.find(({ receiveCount }) => receiveCount === 1);
    expect((twin?.visibleAt ?? 0) - world.clock.now()).toBe(61_000);
  });

  it.each(['{"v":2}', 'no JSON'])('leaves %s in the queue', async (body) => {
    const world = new World();
    await world.tickQueue.send([body], { group: 'g' });
    expect(await takeTick(world.invoke().deps, await receive(world), 0)).toBe('later');
  });
});

describe('steering', () => {
  it('cancels a job of which nothing was started: one cancelled row an item', async () => {
    const { world, jobId } = await begun(40);
    expect(await cancelJob(world.invoke().deps, jobId, 'me')).toBe('cancelling');
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'cancelled', totals: { cancelled: 40 } });
    expect(summary.wallMs).toBeLessThan(15_000);
    await world.expectWhole(jobId, 40);
  });

  it('cancels a job soon whose fan-out died while it ran it', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    world.tasks = { t: task };
    const life = world.invoke(60);
    const jobId = '0123456789abcdefghjk';
    void fanOut(life.deps, { task: 't', items: [{ ms: 5_000 }, { ms: 5_000 }] }, jobId);
    await world.clock.advance(1_000);
    life.die();
    await cancelJob(world.invoke().deps, jobId, 'me');
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'cancelled', totals: { cancelled: 2 } });
    expect(summary.wallMs).toBeLessThan(15_000);
    await world.expectWhole(jobId, 2);
  });

  it('counts chunks that were never sent as one range, which readers expand', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    world.tasks = { t: task };
    // So many workers make chunks so small that 2,500 items are several parts.
    world.workers = 1_000;
    const { jobId } = await world.ask({ task: 't', items: Array.from({ length: 2_500 }, (_, n) => ({ n })) });
    expect((await lastTick(world.store, jobId))?.cut.parts.length).toBeGreaterThan(1);
    world.workers = 2;
    await cancelJob(world.invoke().deps, jobId, 'me');
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'cancelled', cancelledFromChunk: 1_000 });
    await world.expectWhole(jobId, 2_500);
  });

  it('says that a job has ended, and refuses one that is not there', async () => {
    const { world, jobId } = await begun();
    await expect(cancelJob(world.invoke().deps, 'none', 'me')).rejects.toMatchObject({ code: 'JobNotFound' });
    await world.store.put(summaryKey(jobId), goldenRecord('summary'));
    expect(await cancelJob(world.invoke().deps, jobId, 'me')).toBe('ended');
  });

  it('cancels once for two who ask at once', async () => {
    const { world, jobId } = await begun();
    const both = ['a', 'b'].map((by) => cancelJob(world.invoke().deps, jobId, by));
    expect(await Promise.all(both)).toEqual(['cancelling', 'cancelling']);
    expect(world.store.json(`jobs/${jobId}/control.json`)).toMatchObject({ state: 'cancelled', revision: 1 });
  });

  it('sends the due tick at any time without harm: the job takes each turn once', async () => {
    const { world, jobId } = await begun(200);
    world.start();
    for (let n = 0; n < 5; n++) world.clock.after(n * 700, () => void sendDueTick(world.invoke().deps, jobId));
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 200);
  });

  it('resumes all jobs that have not ended after the queues lost everything', async () => {
    const { world, jobId } = await begun();
    const other = await world.ask({ task: 't', items: Array.from({ length: 30 }, (_, n) => ({ n })) });
    const ended = await world.ask({ task: 't', items: [{}] });
    expect(ended.state).toBe('done');
    world.workQueue.messages = [];
    world.tickQueue.messages = [];
    expect(await resumeJobs(world.invoke().deps)).toBe(2);
    world.start();
    await world.untilEnd(jobId);
    await world.untilEnd(other.jobId);
    world.stop();
    await world.expectWhole(jobId, 40);
    await world.expectWhole(other.jobId, 30);
    expect(world.store.objects.has(resultKey(ended.jobId, { part: 0, chunk: 0 }))).toBe(true);
  });

  it('resumes a job whose fan-out died before its first turn', async () => {
    const { world, jobId } = await begun();
    for (const key of world.store.keys(`jobs/${jobId}/`)) {
      if (!/(manifest\.json|input\.ndjson)$/.test(key)) world.store.objects.delete(key);
    }
    world.workQueue.messages = [];
    world.tickQueue.messages = [];
    await resumeJobs(world.invoke().deps);
    world.start();
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 40);
  });
});
