import type { Random } from '../../../src/ports.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';

/** What befalls processes and queues; beside it the owner's faces fail. */
export const actKinds = [
  'kill-worker',
  'kill-other-function',
  'kill-owner',
  'kill-command',
  'stop-worker',
  'stop-owner',
  'interrupt-owner',
  'purge',
] as const;
export type ActKind = (typeof actKinds)[number];

/** One thing that is done to a run. */
export interface Act {
  readonly kind: ActKind;
  /** Whether the time counts from the job's beginning, and not from its first call. */
  readonly early: boolean;
  /** Milliseconds after that. */
  readonly atMs: number;
  /** How long a process stands still. */
  readonly forMs: number;
}

/** A run of a job: everything about it follows from its seed, but for the timing of real processes. */
export interface Plan {
  readonly seed: number;
  readonly items: number;
  /** Calls at once that the whole job is limited to; absent where it has no limit, and each worker makes as many as it does by default. */
  readonly concurrency: number | undefined;
  /** What a call takes, in parts of what it takes in a limited job. */
  readonly slowness: number;
  /** The odds of each request of the faces to go wrong. */
  readonly faceOdds: number;
  readonly acts: readonly Act[];
  /** The faces fail until then, in milliseconds after the job's first call. */
  readonly calmAfterMs: number;
}

/** Makes the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = seededRandom(seed ^ 0xc4a05);
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const concurrency = pick([2, 5, 20, undefined]);
  const faceOdds = pick([0, 0.03, 0.1]);
  const acts = Array.from({ length: pick(faceOdds === 0 ? [1, 2, 3] : [0, 1, 2]) }, () => actOf(random));
  return {
    seed,
    // Two workers have calls for 2 to 6 seconds.
    items: Math.round((concurrency ?? 20) * (20 + 40 * random())),
    concurrency,
    slowness: concurrency === undefined ? 8 : 1,
    faceOdds,
    acts: acts.toSorted((a, b) => a.atMs - b.atMs),
    calmAfterMs: 2_000 + 4_000 * random(),
  };
}

function actOf(random: Random): Act {
  // Workers have the most to lose.
  const kind = random() < 0.3 ? 'kill-worker' : (actKinds[Math.floor(random() * actKinds.length)] ?? 'kill-worker');
  const longestMs = kind === 'stop-owner' ? 3_000 : 12_000;
  const early = random() < 0.2;
  return { kind, early, atMs: (early ? 1_500 : 3_000) * random(), forMs: 1_000 + longestMs * random() };
}
