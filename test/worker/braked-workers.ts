import { limits } from '../../src/limits.ts';
import type { Random } from '../../src/ports.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { Brake } from '../../src/worker/brake.ts';
import { Gcra } from '../../src/worker/gcra.ts';

/** Workers that share a pace, and a downstream. */
interface BrakedWorkers {
  readonly workers: number;
  /** Starts a second of all of them, if nothing slows them down. */
  readonly perSecond: number;
  readonly forMs: number;
  readonly seed: number;
  /** Whether the downstream refuses a call at this moment, counted from the begin. */
  readonly refuses: (now: number, random: Random) => boolean;
}

/** What came of the calls of a time. */
export interface SeenCalls {
  readonly calls: number;
  readonly refused: number;
}

/** Runs workers of endless items, whose refusals come in some milliseconds and other answers in 160 to 280; answers what came between two instants. */
export function runBrakedWorkers({ workers, perSecond, forMs, seed, refuses }: BrakedWorkers) {
  const random = seededRandom(seed);
  const burstMs = limits.paceBurstMs;
  const all = Array.from({ length: workers }, () => ({
    brake: new Brake(),
    share: new Gcra({ now: 0, perSecond: perSecond / workers, burstMs }),
    braked: new Gcra({ now: 0, perSecond: Number.POSITIVE_INFINITY, burstMs }),
    answers: new Map<number, boolean[]>(),
  }));
  const calls = new Float64Array(forMs);
  const refused = new Float64Array(forMs);
  for (let now = 0; now < forMs; now++) {
    for (const { brake, share, braked, answers } of all) {
      for (const isRefused of answers.get(now) ?? []) isRefused ? brake.refused(now, undefined) : brake.succeeded(now);
      answers.delete(now);
      braked.perSecond = brake.perSecond(now);
      while (share.waitMs(now) === 0 && braked.waitMs(now) === 0) {
        share.take(now);
        braked.take(now);
        brake.started(now);
        const isRefused = refuses(now, random);
        calls[now] = (calls[now] ?? 0) + 1;
        if (isRefused) refused[now] = (refused[now] ?? 0) + 1;
        const at = now + Math.ceil((isRefused ? 3 : 200) * (0.8 + 0.6 * random()));
        answers.set(at, [...(answers.get(at) ?? []), isRefused]);
      }
    }
  }
  const sum = (counts: Float64Array, from: number, to: number): number =>
    counts.subarray(from, to).reduce((a, b) => a + b, 0);
  return (from: number, to: number): SeenCalls => ({ calls: sum(calls, from, to), refused: sum(refused, from, to) });
}

/** A downstream that takes so many calls in any second. */
export function takes(perSecond: number): (now: number) => boolean {
  const taken: number[] = [];
  let oldest = 0;
  return (now) => {
    while ((taken[oldest] ?? now) <= now - 1_000) oldest++;
    if (taken.length - oldest >= perSecond) return false;
    taken.push(now);
    return true;
  };
}
