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

it('leaves room for its part of the successes that are left, at least for one, and for any number when it has waited', () => {
  const stops = new StopShare();
  const room = (part: number, afterMs = 0): number => stops.room({ minSuccessful: 1_000 }, part, begunAt + afterMs);
  expect([room(0.2), room(1), room(0)]).toEqual([200, 1_000, Number.POSITIVE_INFINITY]);
  stops.begun({ part: 0, chunk: 0 }, emptyDigest, { left: 150, now: begunAt }).settled('failed');
  expect([room(0.2), room(0.1)]).toEqual([51, 1]);
  expect(room(0.2, patienceMs)).toBe(Number.POSITIVE_INFINITY);
  expect(stops.room({ toleratedFailureCount: 1 }, 0.2, begunAt)).toBe(Number.POSITIVE_INFINITY);
});

it.each([
  ['one failure is its part of five that are left', 4, 0.2, true],
  ['one failure is less than its part of six that are left', 5, 0.2, false],
  ['one worker has the whole job, and five are left', 4, 1, false],
  ['nothing of the job is its own', 4, 0, false],
])(
  'a worker begins nothing of its line where its part of what is left has settled: %s',
  (_, tolerated, part, isReached) => {
    expect(oneFailed().isReached({ toleratedFailureCount: tolerated }, part, begunAt)).toBe(isReached);
  },
);
