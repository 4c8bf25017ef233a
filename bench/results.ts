/** What one contender came to; the median of its rounds. */
export interface Measured {
  /** Microseconds of processor time an item, of the whole process tree from start to end. */
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly perSecond: number;
  /** Share of the slots that was in use between the first call and the last answer, as the server saw it. */
  readonly busy?: number;
  /** From the start of the command to the server's first answer. */
  readonly firstResultMs?: number;
}

export interface SuiteResult {
  readonly title: string;
  readonly items: number;
  readonly rounds: number;
  /** What busy can be at most: by calls that start in the order of the items, and by someone who knew which are the longest. */
  readonly bound?: { readonly inOrder: number; readonly longestFirst: number };
  readonly contenders: ReadonlyArray<Measured & { readonly name: string; readonly how: string }>;
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly why: string }>;
}

/** The loop alone, without processes around it: microseconds an item, the least of the rounds. */
export interface LoopResult {
  readonly calls: number;
  readonly rounds: number;
  /** `undici.request` in N coroutines. */
  readonly bareUs: number;
  /** The worker's whole path: attempt, timeout, row. */
  readonly workerUs: number;
}

/** One way to start, in milliseconds: of many runs on a machine that others use, the least says most. */
export interface StartRow {
  readonly name: string;
  readonly rounds: number;
  readonly wallMs: { readonly least: number; readonly median: number };
  /** Processor time of the whole tree of processes. */
  readonly cpuMs: { readonly least: number; readonly median: number };
}

/** The two ends of a job, by processor time: the least of five. */
export interface PartsResult {
  /** Items that are cut and checked in a second. */
  readonly cutItemsPerSecond: number;
  /** Where the client has checked the items. */
  readonly cutCheckedItemsPerSecond?: number;
  /** Megabytes of rows that are read and written in a second. */
  readonly resultsMegabytesPerSecond: number;
}

/** How long a function takes to load, in milliseconds of processor time, the least of the rounds: 75 is the goal. */
export interface ImportRow {
  readonly name: string;
  readonly rounds: number;
  /** Nothing was compiled before, as on Lambda. */
  readonly coldMs: number;
  /** V8 finds what it has compiled before, as on this machine. */
  readonly cachedMs: number;
  /** The same with the SDK, as deployed functions are; of an earlier run it is absent. */
  readonly sdk?: { readonly coldMs: number; readonly cachedMs: number };
}

/** A job whose items wait for nothing, by how many they are. */
export interface GrowthRow {
  readonly items: number;
  /** From the start of the command to its end. */
  readonly wallMs: number;
  readonly outBytes: number;
  readonly chunks: number;
  readonly turns: number;
  readonly requests: WorkerRequests;
  /** The part of the job's price on AWS that its turns are, with their LISTs. */
  readonly ofTurns: number;
  readonly usd: number;
  /** The most memory of the largest process of each kind. */
  readonly peakMb: Readonly<Record<string, number>>;
  /** What it held in each quarter of its time, the median; of an earlier run it is absent. */
  readonly heldMb?: Readonly<Record<string, readonly number[]>>;
}

/** A way to write the rows of a million items somewhere, from the start of the command to its end: the least of the rounds. */
export interface RowsRow {
  readonly name: string;
  readonly rounds: number;
  readonly bytes: number;
  readonly wallMs: number;
  /** Processor time of the whole tree of processes. */
  readonly cpuMs: number;
  readonly megabytesPerSecond: number;
}

/** Dollars for a million calls of 200 ms, of which 2 % fail once. */
export interface CostRow {
  readonly name: string;
  readonly how: string;
  readonly usd: number;
}

/** Requests of a job's workers, as AWS bills them. */
export interface WorkerRequests {
  readonly s3Writes: number;
  readonly s3Reads: number;
  readonly sqs: number;
}

/** A limited job on real processes, as the server saw it. */
export interface LimitRow {
  readonly name: string;
  readonly items: number;
  /** From submit to the last answer. */
  readonly tookMs: number;
  /** The part of the limit that was used in that time. */
  readonly used: number;
  /** The most at once, in a second, or in a minute; 1 is the limit itself. */
  readonly worst: number;
  readonly firstCallMs: number;
  readonly requests: WorkerRequests;
  /** What the job would have cost on AWS. */
  readonly usd: number;
}

/** A figure of jobs that are changed, meet, or are refused, beside what it is to be. */
export interface LiveRow {
  readonly name: string;
  readonly value: string;
  readonly goal: string;
}

/** What a limited job pays for being limited: a simulated job's counted requests. */
export interface SteeringCost {
  readonly name: string;
  readonly requests: WorkerRequests;
  readonly turns: number;
  /** What the workers' requests cost beyond those of such a job without limits, as a part of what the workers' time costs; and all. */
  readonly ofCompute: number;
  readonly allOfCompute: number;
  readonly usd: number;
}

export interface LimitsResult {
  readonly scenarios: readonly LimitRow[];
  readonly live: readonly LiveRow[];
  readonly steering: readonly SteeringCost[];
}

/** `bench/results.json`. */
export interface Results {
  readonly at: string;
  readonly machine: string;
  readonly loop?: LoopResult;
  readonly one?: SuiteResult;
  readonly start?: readonly StartRow[];
  readonly slow?: SuiteResult;
  readonly tailed?: SuiteResult;
  readonly saturated?: SuiteResult;
  readonly parts?: PartsResult;
  readonly imports?: readonly ImportRow[];
  readonly rows?: readonly RowsRow[];
  readonly growth?: readonly GrowthRow[];
  readonly costs?: readonly CostRow[];
  readonly limits?: Partial<LimitsResult>;
}
