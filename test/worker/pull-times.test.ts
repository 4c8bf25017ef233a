import { expect, it } from 'vitest';
import { firstControl } from '../../src/format/control.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { limits } from '../../src/limits.ts';
import { Pace } from '../../src/worker/pace.ts';
import { PullTimes } from '../../src/worker/pull-times.ts';
import { RunningJob } from '../../src/worker/running-job.ts';

it('looks when a bell may be there, if not before, and every five seconds from then on', () => {
  const control = firstControl({ limits: { maxConcurrency: 5 }, seats: 2 });
  // Only its id is looked at here.
  const job = new RunningJob(
    { jobId: 'j' } as Manifest,
    undefined,
    new Pace({ now: 0, control, concurrency: 100, timeoutMs: 1_000 }),
  );
  const times = new PullTimes(0);
  const waitMs = (now: number): number => times.waitMs([job], now, 300_000);
  expect(waitMs(0)).toBe(limits.lookForOthersMs);
  times.expect(1_000);
  expect(waitMs(0)).toBe(1_000);
  times.expect(3_000);
  expect(waitMs(0)).toBe(1_000);
  times.began(1_000);
  expect(waitMs(1_000)).toBe(limits.lookForOthersMs);
  times.expect(60_000);
  expect(waitMs(1_000)).toBe(limits.lookForOthersMs);
});
