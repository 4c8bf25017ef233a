import { describe, expect, it } from 'vitest';
import { followJob } from '../../src/client/follow.ts';
import { cancelJob, pauseJob, tuneJob, unpauseJob } from '../../src/client/steer.ts';
import { lastTick, readControl, readSummary } from '../../src/folder/read.ts';
import type { FanOutRequest } from '../../src/format/request.ts';
import { limits } from '../../src/limits.ts';
import { TaskError } from '../../src/task/errors.ts';
import { slowTask, World } from './world.ts';

type Act = (item: Record<string, unknown>, attempt: number) => unknown;

/** A job of 1,000 items of 2 s that runs: 40 at once in each of two workers, so for some 25 s. */
async function running(options: FanOutRequest['options'] = {}, act: Act = () => 1, seed = 1) {
  const world = new World(seed);
  const { task, calls } = slowTask(world.clock, act);
  world.tasks = { t: task };
  const items = Array.from({ length: 1_000 }, (_, n) => ({ n, ms: 2_000 }));
  const { jobId } = await world.ask({ task: 't', items, options: { perWorker: 40, ...options } });
  world.start();
  const { deps } = world.invoke(1_000_000);
  return { world, calls, jobId, deps };
}

describe('pause and resume', () => {
  it('starts nothing 3 s after a pause, and calls no item twice when it goes on', async () => {
    const { world, calls, jobId, deps } = await running();
    await world.clock.run(world.clock.sleep(10_000));
    const control = await world.clock.run(pauseJob(deps, jobId, 'me'));
    expect(control).toMatchObject({ v: 2, state: 'paused', reason: 'user', by: 'me', revision: 1 });
    const pausedAt = world.clock.now();
    await world.clock.run(world.clock.sleep(120_000));
    const before = calls.started.length;
    expect(calls.started.filter(({ at }) => at > pausedAt + 3_000)).toEqual([]);
    expect(calls.running).toBe(0);
    await world.clock.run(unpauseJob(deps, jobId, 'me'));
    const resumedAt = world.clock.now();
    await world.untilEnd(jobId);
    world.stop();
    expect(calls.started[before]?.at).toBeLessThan(resumedAt + 3_000);
    await world.expectWhole(jobId, 1_000);
    expect(calls.started.length).toBe(1_000);
  });

  it('costs one turn in 15 minutes while it lasts', async () => {
    const { world, jobId, deps } = await running();
    await world.clock.run(world.clock.sleep(5_000));
    await world.clock.run(pauseJob(deps, jobId, 'me'));
    await world.clock.run(world.clock.sleep(60_000));
    const [ticks, asked] = [world.tickQueue.sent.length, world.store.calls.length];
    await world.clock.run(world.clock.sleep(4 * 3_600_000));
    expect(world.tickQueue.sent.length - ticks).toBeLessThanOrEqual(4 * 4 + 1);
    expect(world.store.calls.length - asked).toBeLessThan(20 * 4 * 4);
    await world.clock.run(unpauseJob(deps, jobId, 'me'));
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 1_000);
  });

  it.each([1, 2, 3, 4, 5, 6])('keeps one row an item however often it is paused and resumed, seed %i', async (seed) => {
    const { world, jobId, deps } = await running({}, () => 1, seed);
    world.deathOdds = 0.3;
    for (const act of Array.from({ length: 8 }, () => [pauseJob, unpauseJob]).flat()) {
      await world.clock.run(world.clock.sleep(world.random() * 6_000));
      if ((await readSummary(world.store, jobId)) === undefined) await world.clock.run(act(deps, jobId, 'me'));
    }
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 1_000);
  });

  it('can be cancelled while it pauses', async () => {
    const { world, jobId, deps } = await running();
    await world.clock.run(world.clock.sleep(5_000));
    await world.clock.run(pauseJob(deps, jobId, 'me'));
    await world.clock.run(world.clock.sleep(30_000));
    await world.clock.run(cancelJob(deps, jobId, 'me'));
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'cancelled' });
    expect(summary).not.toHaveProperty('reason');
    await world.expectWhole(jobId, 1_000);
  });

  it('refuses what has ended or is being cancelled, in one sentence', async () => {
    const { world, jobId, deps } = await running({ limits: { minSuccessful: 1 } });
    await world.untilEnd(jobId);
    for (const act of [pauseJob, unpauseJob]) {
      await expect(world.clock.run(act(deps, jobId, 'me'))).rejects.toThrow(
        `expected a job that goes on, got ${jobId}, which has ended`,
      );
    }
    world.stop();
  });
});

describe('tune', () => {
  it('changes what is named, takes away what is null, and leaves the rest', async () => {
    const { world, jobId, deps } = await running({ limits: { breaker: 50, budgetUsd: 5, priority: 2 } });
    await world.clock.run(tuneJob(deps, jobId, 'me', { breaker: 20, budgetUsd: null }));
    expect((await readControl(world.store, jobId))?.table.limits).toEqual({ breaker: 20, priority: 2 });
    await world.clock.run(tuneJob(deps, jobId, 'me', { rate: '3000/min', priority: undefined }));
    expect((await readControl(world.store, jobId))?.table).toEqual({
      limits: { breaker: 20, priority: 2, rate: { limit: 3_000, perMs: 60_000 } },
      seats: 1,
    });
    await expect(world.clock.run(tuneJob(deps, jobId, 'me', { rate: 'fast' }))).rejects.toThrow(
      /^limits\.rate: expected a rate as 50\/s.*"fast"/,
    );
    world.stop();
  });
});

describe('stops', () => {
  const refusing: Act = ({ n }) => {
    if (Number(n) % 2 === 0) throw new TaskError('no', { code: 'No', retryable: false });
    return 1;
  };

  it('pauses by the breaker soon after most calls fail, and tells why', async () => {
    const { world, calls, jobId, deps } = await running({ limits: { breaker: 40 } }, refusing);
    await world.clock.run(world.clock.sleep(60_000));
    const control = await readControl(world.store, jobId);
    expect(control).toMatchObject({ state: 'paused', reason: 'breaker' });
    expect(control?.by).toMatch(/^worker:/);
    expect(calls.started.length).toBeLessThan(400);
    const look = await world.clock.run(followJob(deps, jobId, { signal: new AbortController().signal }).next());
    expect(look.value).toMatchObject({ progress: { paused: 'breaker' } });
    await world.clock.run(tuneJob(deps, jobId, 'me', { breaker: null }));
    await world.clock.run(unpauseJob(deps, jobId, 'me'));
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary.totals).toMatchObject({ succeeded: 500, failed: 500 });
  });

  it('ends when more items failed than are tolerated', async () => {
    const { world, calls, jobId } = await running({ limits: { toleratedFailureCount: 50 } }, refusing);
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'cancelled', reason: 'tolerated' });
    expect(summary.totals.failed).toBeGreaterThan(50);
    expect(calls.started.length).toBeLessThan(700);
    await world.expectWhole(jobId, 1_000);
  });

  it('ends done when enough has succeeded', async () => {
    const { world, calls, jobId } = await running({ limits: { minSuccessful: 100 } });
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(summary).toMatchObject({ end: 'done', reason: 'succeeded' });
    expect(summary.totals.succeeded).toBeGreaterThanOrEqual(100);
    expect(calls.started.length).toBeLessThan(700);
    await world.expectWhole(jobId, 1_000);
  });

  it('runs the canary first, and goes on by itself when it did well', async () => {
    const { world, calls, jobId } = await running({ limits: { canary: 30 } });
    await world.untilEnd(jobId);
    world.stop();
    const behind = calls.started.findIndex(({ key }) => Number(key.split('/')[1]) >= 30);
    expect(behind).toBe(30);
    expect(calls.started[30]?.at).toBeGreaterThan((calls.started[29]?.at ?? 0) + 2_000);
    await world.expectWhole(jobId, 1_000);
  });

  it.each([
    ['that did badly', { canary: 30 }, refusing],
    ['in any case where somebody wants to look', { canary: 30, canaryWait: true }, () => 1],
  ] as const)('pauses behind a canary %s, and goes on when it is resumed', async (_, of, act) => {
    const { world, calls, jobId, deps } = await running({ limits: of }, act as Act);
    await world.clock.run(world.clock.sleep(120_000));
    expect(await readControl(world.store, jobId)).toMatchObject({ state: 'paused', reason: 'canary' });
    expect(calls.started.length).toBe(30);
    await world.clock.run(unpauseJob(deps, jobId, 'me'));
    await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 1_000);
    expect(calls.started.length).toBe(1_000);
  });

  it('pauses before the budget is overrun by more than what is in flight and one turn', async () => {
    const world = new World();
    const { task } = slowTask(world.clock, () => 1);
    const spending = {
      ...task,
      run: async (item: unknown, context: Parameters<typeof task.run>[1]) => {
        context.used({ usd: 0.01 });
        return task.run(item, context);
      },
    };
    world.tasks = { t: spending };
    const items = Array.from({ length: 1_000 }, (_, n) => ({ n, ms: 2_000 }));
    const { jobId } = await world.ask({ task: 't', items, options: { perWorker: 40, limits: { budgetUsd: 2 } } });
    world.start();
    await world.clock.run(world.clock.sleep(120_000));
    expect(await readControl(world.store, jobId)).toMatchObject({ state: 'paused', reason: 'budget' });
    const last = await lastTick(world.store, jobId);
    expect((last?.totals.nanoUsd ?? 0) / 1e9).toBeGreaterThanOrEqual(2);
    expect((last?.totals.nanoUsd ?? 0) / 1e9).toBeLessThan(2 + 0.01 * (2 * 40 + 2 * limits.stopChunkItems * 4));
    world.stop();
  });
});
