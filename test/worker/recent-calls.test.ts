import { describe, expect, it } from 'vitest';
import { RecentCalls } from '../../src/worker/recent-calls.ts';

const everything = Number.NEGATIVE_INFINITY;

describe('RecentCalls', () => {
  it('keeps no more than five seconds of calls that are neither taken nor refused', () => {
    const calls = new RecentCalls();
    for (let now = 0; now < 60_000; now++) calls.started(now);
    expect(calls.since(everything).calls).toBeLessThanOrEqual(5_001);
  });

  it('keeps one second of calls of which many are answered', () => {
    const calls = new RecentCalls();
    for (let now = 0; now < 10_000; now++) {
      calls.started(now);
      calls.answered(now, 0);
    }
    expect(calls.since(everything).calls).toBeLessThanOrEqual(1_051);
  });

  it('counts refusals among the calls that began, also before any other has been answered', () => {
    const calls = new RecentCalls();
    for (let now = 0; now < 100; now++) calls.started(now);
    for (let n = 0; n < 3; n++) calls.answered(100, 1);
    expect(calls.since(0)).toMatchObject({ calls: 99, refused: 3 });
  });
});
