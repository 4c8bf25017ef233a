import { expect, it } from 'vitest';
import { emptyDigest } from '../../src/format/digest.ts';
import { patienceMs, StopShare } from '../../src/worker/stop-share.ts';

const begunAt = 1_000_000;

/** A worker of which one of fifty items has failed. */
function oneFailed(): StopShare {
  const stops = new StopShare();
  const chunk = stops.begun({ part: 0, chunk: 0 }, emptyDigest, { left: 50, now: begunAt });
  chunk.settled('failed');
  return stops;
}

it.each([
  ['at once', 0, true],
  ['just before its patience is over', patienceMs - 1, true],
  ['when its patience is over', patienceMs, false],
  ['when its clock was set back by a little', -1, false],
  ['when its clock was set back by an hour', -3_600_000, false],
])('a worker that hears of no turn waits for one: %s', (_, afterMs, isUsedUp) => {
  expect(oneFailed().isUsedUp({ toleratedFailureCount: 0 }, 0.2, begunAt + afterMs)).toBe(isUsedUp);
});
