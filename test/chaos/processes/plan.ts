import type { Random } from '../../../src/ports.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';

/** What befalls processes and queues; beside it the owner's faces fail. */
const faultKinds = [
  'kill-worker',
  'kill-other-function',
  'kill-owner',
  'kill-command',
  'stop-worker',
  'stop-owner',
  'interrupt-owner',
  'purge',
] as const;
/** What people do to a limited job, and what its queue may do. */
const steerKinds = ['tune', 'pause', 'double-bell'] as const;
export type ActKind = (typeof faultKinds)[number] | (typeof steerKinds)[number];

/** Limits of a job as a whole; one without any has its workers' own. */
export interface PlannedLimits {
  /** Calls at once. */
  readonly concurrency?: number;
  /** Calls a second. */
  readonly rate?: number;
}

/** One thing that is done to a run. */
export interface Act {
  readonly kind: ActKind;
  /** Whether the time counts from the job's beginning, and not from its first call. */
  readonly early: boolean;
  /** Milliseconds after that. */
  readonly atMs: number;
  /** How long a process stands still, or a job pauses. */
  readonly forMs: number;
  /** What the job is tuned to. */
  readonly limits: PlannedLimits;
}

/** A run of a job: everything about it follows from its seed, but for the timing of real processes. */
export interface Plan {
  readonly seed: number;
  readonly items: number;
  /** Those of the whole job; without any each worker makes as many calls at once as it does by default. */
  readonly limits: PlannedLimits;
  /** What a call takes, in parts of what it takes in a limited job. */
  readonly slowness: number;
  /** The odds of each request of the faces to go wrong. */
  readonly faceOdds: number;
  readonly acts: readonly Act[];
  /** What runs again once the job has ended, and what befalls it after its first call then. */
  readonly redrive?: { readonly by: 'code' | 'all failed'; readonly act: Act };
  /** The faces fail until then, in milliseconds after the job's first call. */
  readonly calmAfterMs: number;
  /** Functions call the faces by the SDK, as on AWS. */
  readonly usesSdk: boolean;
}

/** A job's first limits, and those that it may be tuned to. */
type Ladder = readonly PlannedLimits[];

/** Limits of jobs, and what each may be tuned to. More than 250 calls a second are shared by two workers. */
const ladders: readonly [Ladder, ...Ladder[]] = [
  [{ concurrency: 1 }, { concurrency: 1 }, { concurrency: 3 }],
  [{ concurrency: 5 }, { concurrency: 2 }, { concurrency: 8 }],
  // Not down to one at once: what twenty do in five seconds takes one of them two minutes.
  [{ concurrency: 20 }, { concurrency: 7 }, { concurrency: 5 }],
  [{ rate: 20 }, { rate: 5 }, { rate: 60 }],
  [
    { concurrency: 6, rate: 15 },
    { concurrency: 2, rate: 15 },
    { concurrency: 6, rate: 40 },
  ],
  [{ rate: 100 }, { rate: 300 }, { rate: 50 }],
];

/** Makes the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = seededRandom(seed ^ 0xc4a05);
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const faceOdds = pick([0, 0.03, 0.1]);
  const ladder = random() < 0.75 ? pick(ladders) : [{}];
  const limits = ladder[0] ?? {};
  const acts = Array.from({ length: pick(faceOdds === 0 ? [1, 2, 3] : [0, 1, 2]) }, () => actOf(random, ladder));
  // What is done to limits comes beside faults, so that a share moves while its holder dies.
  if (ladder.length > 1) acts.push(...Array.from({ length: pick([1, 2]) }, () => steeringOf(random, ladder)));
  return {
    seed,
    // Calls for 2 to 6 seconds, of 175 ms each.
    items: Math.round(paceOf(limits) * (2 + 4 * random())),
    limits,
    slowness: ladder.length > 1 ? 1 : 8,
    faceOdds,
    acts: acts.toSorted((a, b) => a.atMs - b.atMs),
    calmAfterMs: 2_000 + 4_000 * random(),
    ...(random() < 0.5
      ? {
          redrive: {
            by: pick(['code', 'all failed']),
            act: { ...actOf(random, ladder), early: false, atMs: 500 * random() },
          },
        }
      : {}),
    usesSdk: random() < 0.5,
  };
}

/** Calls a second that limits allow. */
const paceOf = ({ concurrency = 30, rate = Number.POSITIVE_INFINITY }: PlannedLimits): number =>
  Math.max(8, Math.min(rate, concurrency / 0.175));

function actOf(random: Random, ladder: readonly PlannedLimits[]): Act {
  // Workers have the most to lose.
  const kind = random() < 0.3 ? 'kill-worker' : (faultKinds[Math.floor(random() * faultKinds.length)] ?? 'kill-worker');
  const longestMs = kind === 'stop-owner' ? 3_000 : 12_000;
  return timed(random, { kind, longestMs, ladder });
}

function steeringOf(random: Random, ladder: readonly PlannedLimits[]): Act {
  const kind = steerKinds[Math.floor(random() * steerKinds.length)] ?? 'tune';
  return timed(random, { kind, longestMs: 4_000, ladder });
}

function timed(
  random: Random,
  act: { readonly kind: ActKind; readonly longestMs: number; readonly ladder: readonly PlannedLimits[] },
): Act {
  const { kind, longestMs, ladder } = act;
  const early = random() < 0.2;
  return {
    kind,
    early,
    atMs: (early ? 1_500 : 3_000) * random(),
    forMs: 1_000 + longestMs * random(),
    limits: ladder[Math.floor(random() * ladder.length)] ?? {},
  };
}
