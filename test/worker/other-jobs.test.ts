import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { toHeldMessage } from '../../src/worker/held-message.ts';
import { runWorker } from '../../src/worker/worker-loop.ts';
import { addJob, begin, place, queued, repeat, rowsOf, worldWith } from './worker-world.ts';

/** Keys of the calls of one job. */
const of = (jobId: string) => (call: { readonly key: string }) => call.key.startsWith(`${jobId}/`);

describe('a worker with a long line of one job', () => {
  it('begins with another job within five seconds of its coming, and ends it while the first goes on', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(1_000, { ms: 5_000 }), options: { concurrency: 20 } });
    const { acknowledged } = await begin(world);
    await world.clock.advance(20_001);
    const messages = await addJob(world, { jobId: 'small', items: repeat(40), inline: false, workers: 5 });
    expect(messages.length).toBeGreaterThan(5);
    await world.clock.advance(5_000);
    expect(calls.started.some(of('small'))).toBe(true);
    await world.clock.advance(2_000);
    expect(calls.started.filter(of('small'))).toHaveLength(40);
    expect(queued(world).map(({ job }) => job)).toEqual(['j']);
    await world.clock.run(acknowledged);
  });

  it('leaves further chunks of that job to whoever has nothing to do, as if it had not received them', async () => {
    const { world, calls } = worldWith(() => 1);
    const options = { concurrency: 10, timeoutMs: 10_000 };
    const messages = await addJob(world, { items: repeat(400, { ms: 5_000 }), inline: false, workers: 2, options });
    await begin(world);
    await world.clock.advance(32_000);
    expect(calls.started).toHaveLength(70);
    expect(world.workQueue.receives.length).toBeGreaterThan(5);
    const others = world.workQueue.messages.filter(({ receiveCount }) => receiveCount === 0);
    expect(others).toHaveLength(messages.length - 1);
    const free = await world.workQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 });
    expect(free.map(({ receiveCount }) => receiveCount)).toEqual(others.map(() => 1));
  });

  it('looks no more often than every five seconds while it finds only that job', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(400, { ms: 5_000 }), inline: false, workers: 2, options: { concurrency: 10 } });
    await begin(world);
    await world.clock.advance(42_000);
    const looks = world.workQueue.receives.slice(1).map(({ at }) => at);
    for (const [n, at] of looks.entries())
      if (n > 0) expect(at - (looks[n - 1] ?? 0)).toBeGreaterThanOrEqual(limits.lookForOthersMs);
  });

  it('keeps a job supplied that has nothing in line, whatever else is in line here', async () => {
    const { world, calls } = worldWith(() => 1);
    const slow = { jobId: 'slow', options: { concurrency: 1 } };
    await addJob(world, { ...slow, items: repeat(100, { ms: 5_000 }), inline: false, workers: 5 });
    await begin(world);
    await addJob(world, {
      jobId: 'quick',
      items: repeat(200),
      inline: false,
      workers: 10,
      options: { concurrency: 10 },
    });
    // 200 items of 100 ms, ten at once, take 2 s; the first look comes after 5 s, and a useless one may come between.
    await world.clock.advance(9_000);
    expect(calls.started.filter(of('quick'))).toHaveLength(200);
  });

  it('takes back from the queue what it has put back there, once it has room', async () => {
    const { world } = worldWith(() => 1);
    const messages = await addJob(world, { items: repeat(60, { ms: 4_000 }), inline: false, workers: 2 });
    await world.clock.run((await begin(world)).acknowledged);
    expect(world.workQueue.messages).toEqual([]);
    for (const chunk of messages.keys()) expect(await rowsOf(world, { part: 0, chunk })).not.toEqual([]);
  });

  it('remembers, when it puts a message back, that a worker may have died of it', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(3), options: { timeoutMs: 240_000 } });
    await world.workQueue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 1 });
    await world.clock.advance(1_000);
    await world.clock.run((await begin(world, world.invoke(100))).acknowledged);
    expect(queued(world)).toMatchObject([{ job: 'j', deaths: 1 }]);
  });
});

describe('jobs that meet in a worker', () => {
  it.each([
    ['evenly', undefined, undefined, 250],
    ['by their priorities', 4, 1, 400],
  ])('share its slots %s when both want all of them', async (_, first, second, firstHas) => {
    const { world, calls } = worldWith(() => 1);
    const optionsOf = (priority: number | undefined) => ({
      concurrency: limits.maxConcurrency,
      ...(priority === undefined ? {} : { limits: { priority } }),
    });
    const items = repeat(5_000, { ms: 2_000 });
    const began = world.clock.now();
    await addJob(world, { jobId: 'first', items, options: optionsOf(first) });
    const { acknowledged } = await begin(world);
    await world.clock.advance(6_000);
    await addJob(world, { jobId: 'second', items, options: optionsOf(second) });
    await world.clock.advance(11_000);
    const startedIn = (jobId: string, from: number, to: number): number =>
      calls.started.filter(of(jobId)).filter(({ at }) => at - began > from && at - began <= to).length;
    expect(startedIn('first', 4_000, 6_000)).toBe(500);
    expect(startedIn('first', 15_000, 17_000)).toBe(firstHas);
    expect(startedIn('second', 15_000, 17_000)).toBe(500 - firstHas);
    await world.clock.run(acknowledged);
    expect(calls.most).toBe(500);
  });

  it('leave to each other what they do not need', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { jobId: 'small', items: repeat(2_000, { ms: 5_000 }), options: { concurrency: 50 } });
    await addJob(world, { jobId: 'large', items: repeat(2_000, { ms: 5_000 }), options: { concurrency: 500 } });
    const messages = await world.workQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 });
    const held = messages.map((one) => toHeldMessage(one, world.log)).filter((one) => one !== undefined);
    const acknowledged = runWorker(held, world.invoke().deps);
    await world.clock.advance(9_000);
    expect(calls.running).toBe(500);
    await world.clock.run(acknowledged);
    expect(await rowsOf(world, place, 'large')).toHaveLength(2_000);
  });
});
