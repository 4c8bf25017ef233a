import { describe, expect, it } from 'vitest';
import { summaryKey } from '../../src/format/paths.ts';
import { limits } from '../../src/limits.ts';
import type { Rescue } from '../../src/worker/deps.ts';
import { type Life, slowTask, World } from '../job/world.ts';

type JobOptions = NonNullable<Parameters<World['ask']>[0]['options']>;

/** A job of some items of `ms` each, with one worker, that is about to run. */
async function begun(count: number, ms: number, concurrency: number, options: JobOptions = {}) {
  const world = new World();
  const { task, calls } = slowTask(world.clock, (item) => item['n'], { timeoutMs: 60_000, attempts: 1 });
  world.tasks = { t: task };
  world.workers = 1;
  const items = Array.from({ length: count }, (_, n) => ({ n, ms }));
  const { jobId } = await world.ask({ task: 't', items, options: { perWorker: concurrency, ...options }, wait: false });
  const end = async () => {
    while (!world.store.objects.has(summaryKey(jobId))) await world.clock.advance(1_000);
    const summary = await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, count);
    return summary;
  };
  return { world, calls, jobId, end };
}

describe('a job under faults', () => {
  it.each(['s3', 'sqs'])('fails nothing and loses no call when %s refuses everything for 10 minutes', async (what) => {
    const { world, calls, end } = await begun(100, 5_000, 5);
    const from = world.clock.now() + 20_000;
    const refuse = (): void => {
      const now = world.clock.now();
      if (now >= from && now < from + 600_000) throw new Error(`no route to ${what}`);
    };
    if (what === 's3') world.store.before = refuse;
    else for (const queue of [world.workQueue, world.tickQueue, world.deadLetters]) queue.before = refuse;
    world.start();
    const summary = await end();
    expect(summary.totals).toMatchObject({ succeeded: 100, failed: 0 });
    expect(summary.wallMs).toBeLessThan(20 * 60_000);
    expect(new Set(calls.started.map(({ key }) => key)).size).toBe(100);
  });

  it('goes on from the rows that a dead worker stored early', async () => {
    const { world, calls, end } = await begun(200, 1_000, 2);
    let lives = 0;
    const invoke = world.invoke.bind(world);
    world.invoke = (seconds) => {
      const life = invoke(seconds);
      // The first worker dies in the middle of its chunk.
      if (seconds === undefined && lives++ === 1) world.clock.after(65_000, life.die);
      return life;
    };
    world.start();
    const summary = await end();
    expect(summary.totals.succeeded).toBe(200);
    const again = calls.started.length - 200;
    expect(again).toBeLessThanOrEqual(2 * (limits.checkpointMs / 1_000 + 2));
  });

  it.each([{}, { limits: { maxConcurrency: 2 } }])(
    'goes on with what another process wrote for a worker that could not any more, with %j',
    async (options) => {
      const { world, calls, end } = await begun(200, 1_000, 2, options);
      const forever = Promise.withResolvers<void>();
      let diedAt = 0;
      let isChosen = false;
      const invoke = world.invoke.bind(world);
      world.invoke = (seconds) => {
        const life = invoke(seconds);
        const watch: Rescue['watch'] = (left) => {
          if (isChosen) return () => undefined;
          isChosen = true;
          // What it stores itself is under way when it dies: the first rows stand by then.
          world.clock.after(30_000, () => {
            world.store.before = ({ operation, key }) =>
              operation === 'put' && key.includes('/segments/') && key.includes(life.deps.writer)
                ? forever.promise
                : undefined;
          });
          world.clock.after(50_000, () => endAtOnce(life, left));
          return () => undefined;
        };
        return { ...life, deps: { ...life.deps, rescue: { watch } } };
      };
      const endAtOnce = async (life: Life, left: Parameters<Rescue['watch']>[0]): Promise<void> => {
        const writes = left(true);
        world.store.before = undefined;
        life.die();
        diedAt = world.clock.now();
        for (const { key, body, ifMatch } of writes)
          expect(
            await world.store.put(key, body, ifMatch === undefined ? {} : { condition: { ifMatch } }),
          ).toBeDefined();
      };
      world.start();
      const summary = await end();
      expect(diedAt).toBeGreaterThan(0);
      expect(summary.totals.succeeded).toBe(200);
      // Those that were under way, and those that this world lets a dead worker begin when they end.
      expect(calls.started.length - 200).toBeLessThanOrEqual(4);
    },
  );
});
