import { describe, expect, it } from 'vitest';
import { cancelJob } from '../../src/client/steer.ts';
import { TaskError } from '../../src/task/errors.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { slowTask, World } from './world.ts';

/** What one item does, by a draw from its own seed: most succeed, some only later, some never. */
function fate(item: Record<string, unknown>, attempt: number): unknown {
  const draw = seededRandom(Number(item['n']) * 7 + 1)();
  if (draw < 0.6) return { n: item['n'] };
  if (draw < 0.8 && attempt >= 2) return 'late';
  const retryAfterMs = draw < 0.65 ? 60_000 : draw < 0.7 ? 5_000 : undefined;
  throw new TaskError('not now', {
    code: draw < 0.85 ? 'Busy' : 'Gone',
    retryable: draw < 0.85,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function items(count: number, seed: number): Array<Record<string, unknown>> {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, n) => ({ n, ms: Math.round(random() ** 4 * 9_000) }));
}

describe('the whole pipeline on a virtual clock', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'gives each item one row while workers and ticks die and messages come twice (seed %i)',
    async (seed) => {
      const world = new World(seed);
      world.workers = 2 + (seed % 4);
      world.deathOdds = 0.25;
      world.duplicateOdds = 0.15;
      const { task, calls } = slowTask(world.clock, fate);
      world.tasks = { t: task };
      const count = 300 + seed * 250;
      const options = { perWorker: 5 + seed * 10 };
      const answer = await world.ask({ task: 't', items: items(count, seed), options });
      expect(answer.state).toBe('running');
      world.start();
      await world.untilEnd(answer.jobId);
      world.stop();
      const rows = await world.expectWhole(answer.jobId, count);
      expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['succeeded', 'failed']));
      expect(calls.most).toBeLessThanOrEqual(options.perWorker * (world.workers * 4));
    },
  );

  it.each([11, 12, 13, 14])('ends with one row an item when it is cancelled in the middle (seed %i)', async (seed) => {
    const world = new World(seed);
    world.deathOdds = 0.2;
    world.duplicateOdds = 0.1;
    const { task } = slowTask(world.clock, fate);
    world.tasks = { t: task };
    const answer = await world.ask({ task: 't', items: items(600, seed), options: { perWorker: 20 } });
    world.start();
    world.clock.after(world.random() * 15_000, () => {
      void cancelJob(world.invoke().deps, answer.jobId, 'a test');
    });
    const summary = await world.untilEnd(answer.jobId);
    world.stop();
    await world.expectWhole(answer.jobId, 600);
    expect(summary.end).toBe('cancelled');
    expect(summary.totals.cancelled).toBeGreaterThan(0);
  });

  it('runs two jobs at once, each within its own limit', async () => {
    const world = new World(21);
    const one = slowTask(world.clock, () => 1);
    const two = slowTask(world.clock, () => 2);
    world.tasks = { one: one.task, two: two.task };
    const many = Array.from({ length: 400 }, (_, n) => ({ n, ms: 500 }));
    const first = await world.ask({ task: 'one', items: many, options: { perWorker: 7 } });
    const second = await world.ask({ task: 'two', items: many, options: { perWorker: 40 } });
    world.start();
    await world.untilEnd(first.jobId);
    await world.untilEnd(second.jobId);
    world.stop();
    await world.expectWhole(first.jobId, 400);
    await world.expectWhole(second.jobId, 400);
    expect(one.calls.most).toBeLessThanOrEqual(7 * world.workers);
    expect(two.calls.most).toBeLessThanOrEqual(40 * world.workers);
  });
});
