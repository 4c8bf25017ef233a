import { describe, expect, it } from 'vitest';
import { lastTick } from '../../src/folder/read.ts';
import { limits } from '../../src/limits.ts';
import { fanOut } from '../../src/start/fan-out.ts';
import { toHeldMessage } from '../../src/worker/held-message.ts';
import { runWorker } from '../../src/worker/worker-loop.ts';
import { slowTask, World } from '../job/world.ts';

/** A job of one chunk in the queue, and a worker that is asked to leave after a time. */
async function leaving(items: ReadonlyArray<Record<string, unknown>>, afterMs: number, concurrency: number) {
  const world = new World();
  const { task, calls } = slowTask(world.clock, (item) => item['n'], { timeoutMs: 60_000, attempts: 1 });
  world.tasks = { t: task };
  world.workers = 1;
  const { jobId } = await world.ask({ task: 't', items: [...items], options: { perWorker: concurrency }, wait: false });
  const held = (await world.workQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 })).map((message) =>
    toHeldMessage(message, world.log),
  );
  const leave = new AbortController();
  if (afterMs === 0) leave.abort();
  else world.clock.after(afterMs, () => leave.abort());
  const { deps } = world.invoke();
  const work = runWorker(
    held.filter((message) => message !== undefined),
    { ...deps, leaving: leave.signal },
  );
  const startedAt = world.clock.now();
  const acknowledged = await world.clock.run(work);
  return { world, jobId, calls, acknowledged, tookMs: world.clock.now() - startedAt, messages: held.length };
}

const repeat = (count: number, ms: number) => Array.from({ length: count }, (_, n) => ({ n, ms }));

describe('a worker whose machine goes', () => {
  it('starts nothing more, lets short calls end, stores what has settled, and hands the rest over', async () => {
    const { world, jobId, calls, acknowledged, tookMs, messages } = await leaving(repeat(30, 1_000), 3_500, 5);
    expect(acknowledged.size).toBe(messages);
    expect(tookMs).toBe(4_000);
    const tried = calls.started.length;
    expect(tried).toBeLessThan(30);
    world.start();
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 30);
    // What was answered is not called again.
    expect(new Set(calls.started.map(({ key }) => key)).size).toBe(calls.started.length);
  });

  it('breaks long calls off, and they have their attempts still', async () => {
    const { world, jobId, calls, tookMs } = await leaving(repeat(4, 50_000), 1_000, 4);
    expect(tookMs).toBe(1_000 + limits.leaveCallsMs);
    expect(calls.running).toBe(0);
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 4);
    expect(summary.totals).toMatchObject({ succeeded: 4, attempts: 4 });
    expect(calls.started.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  it('opens no message that it receives meanwhile', async () => {
    const { world, jobId, calls } = await leaving(repeat(30, 1_000), 0, 5);
    expect(calls.started).toEqual([]);
    expect((await lastTick(world.store, jobId))?.send[1]).toBe(world.workQueue.messages.length);
  });

  it('hands an inline job over, and answers that it runs', async () => {
    const world = new World();
    const { task, calls } = slowTask(world.clock, (item) => item['n'], { timeoutMs: 10_000 });
    world.tasks = { t: task };
    const leave = new AbortController();
    world.clock.after(1_200, () => leave.abort());
    const { deps } = world.invoke(60);
    const request = { task: 't', items: repeat(10, 1_000), options: { perWorker: 2 } };
    const token = '0123456789abcdefghjk';
    const answer = await world.clock.run(fanOut({ ...deps, leaving: leave.signal }, request, token));
    expect(answer).toEqual({ jobId: token, state: 'running' });
    world.start();
    await world.untilEnd(token);
    world.stop();
    await world.expectWhole(token, 10);
    expect(calls.started).toHaveLength(10);
  });
});
