import { describe, expect, it } from 'vitest';
import { slowTask, World } from './world.ts';

/** Runs a small job that comes beside a large one after `afterMs`, whose every chunk keeps a worker for minutes. */
async function beside(workers: number, afterMs: number) {
  const world = new World();
  world.workers = workers;
  const { task, calls } = slowTask(world.clock, () => 1);
  world.tasks = { t: task };
  world.start();
  const items = (count: number, ms: number) => Array.from({ length: count }, () => ({ ms }));
  await world.ask({ task: 't', items: items(20_000, 2_000), options: { perWorker: 10 }, clientToken: 'large' });
  await world.clock.advance(afterMs);
  const from = world.clock.now();
  const { jobId } = await world.ask({ task: 't', items: items(1_000, 200), clientToken: 'small' });
  await world.untilEnd(jobId);
  const tookMs = world.clock.now() - from;
  world.stop();
  await world.expectWhole(jobId, 1_000);
  const isLarge = ({ key }: { readonly key: string }): boolean => !key.startsWith(`${jobId}/`);
  const meanwhile = calls.started.filter(({ at }) => at >= from).filter(isLarge).length;
  return { tookMs, perSecond: (1_000 * meanwhile) / tookMs };
}

describe('a job of 1,000 items of 200 ms beside one of 20,000 long ones', () => {
  for (const workers of [1, 2, 5]) {
    // Each instant finds the workers elsewhere between two looks at the queue.
    for (const afterMs of [60_000, 61_000, 62_000, 63_000, 64_000]) {
      it(`ends within 10 s with ${workers} workers when it comes after ${afterMs / 1_000} s`, async () => {
        const { tookMs, perSecond } = await beside(workers, afterMs);
        expect(tookMs).toBeLessThanOrEqual(10_000);
        // Ten calls of 2 s at once in each worker: the large job goes on as if it were alone.
        expect(perSecond).toBeGreaterThanOrEqual(4 * workers);
      });
    }
  }
});
