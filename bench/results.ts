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

/** Dollars for a million calls of 200 ms, of which 2 % fail once. */
export interface CostRow {
  readonly name: string;
  readonly how: string;
  readonly usd: number;
}

/** `bench/results.json`. */
export interface Results {
  readonly at: string;
  readonly machine: string;
  readonly loop?: LoopResult;
  readonly one?: SuiteResult;
  readonly slow?: SuiteResult;
  readonly saturated?: SuiteResult;
  readonly costs?: readonly CostRow[];
}
