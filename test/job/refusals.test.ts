import { expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { TaskError } from '../../src/task/errors.ts';
import { slowTask, World } from './world.ts';

const refused = (retryAfterMs: number | undefined) =>
  new TaskError('too many requests', {
    code: 'HttpStatus429',
    status: 429,
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

it('slows down by itself before a downstream that admits 20 calls a second, and fails no item', async () => {
  const world = new World(3);
  world.workers = 5;
  const admitted: number[] = [];
  const { task, calls } = slowTask(world.clock, () => {
    const now = world.clock.now();
    while ((admitted[0] ?? now) <= now - 1_000) admitted.shift();
    if (admitted.length >= 20) throw refused(1_000);
    admitted.push(now);
    return 'ok';
  });
  world.tasks = { t: task };
  const items = Array.from({ length: 300 }, (_, n) => ({ n, ms: 20 }));
  const { jobId } = await world.ask({ task: 't', items });
  world.start();
  const summary = await world.untilEnd(jobId);
  world.stop();
  expect(summary.totals).toMatchObject({ succeeded: 300, failed: 0 });
  expect(calls.started.length).toBeLessThan(600);
});

it('lets refusals use up a bound of their own, and attempts only theirs', async () => {
  const world = new World(4);
  let asked = 0;
  const { task } = slowTask(world.clock, () => {
    asked++;
    throw refused(undefined);
  });
  world.tasks = { t: task };
  const { jobId } = await world.ask({ task: 't', items: [{ ms: 1 }], options: { attempts: 2 }, wait: false });
  world.start();
  const summary = await world.untilEnd(jobId);
  world.stop();
  expect(summary.totals.codes).toEqual({ HttpStatus429: 1 });
  // An item whose next try is far away goes to another worker, which counts anew.
  expect(asked).toBeGreaterThan(2);
  expect(asked).toBeLessThanOrEqual(limits.refusals + 2);
});

it('goes on at the pace to which refusals had brought a seat when another worker takes it over', async () => {
  const world = new World(5);
  world.invocationSeconds = 60;
  const taken: number[] = [];
  const { task, calls } = slowTask(world.clock, () => {
    const now = world.clock.now();
    while ((taken[0] ?? now) <= now - 1_000) taken.shift();
    if (taken.length >= 50) throw refused(undefined);
    taken.push(now);
    return 'ok';
  });
  world.tasks = { t: task };
  const items = Array.from({ length: 4_000 }, (_, n) => ({ n, ms: 20 }));
  const { jobId } = await world.ask({ task: 't', items, options: { limits: { rate: { limit: 200, perMs: 1_000 } } } });
  const from = world.clock.now() + 20_000;
  world.start();
  await world.untilEnd(jobId);
  world.stop();
  // The first worker's time is over within the job's, and by then it has found what is taken.
  expect(world.lines.filter(({ message }) => message === 'a seat was taken').length).toBeGreaterThan(1);
  const perSecond = new Array<number>(60).fill(0);
  for (const { at } of calls.started) {
    const second = Math.floor((at - from) / 1_000);
    if (second >= 0 && second < perSecond.length) perSecond[second] = (perSecond[second] ?? 0) + 1;
  }
  // One that tries all of its limit is refused most, and is far below what is taken for 15 s.
  expect(Math.min(...perSecond)).toBeGreaterThan(40);
  expect(Math.max(...perSecond)).toBeLessThan(60);
});
