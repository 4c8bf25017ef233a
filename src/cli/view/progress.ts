/** How far a job is. */
export interface Progress {
  readonly jobId: string;
  readonly task: string;
  /** Items with an outcome. */
  readonly items: number;
  /** Items in all; absent while the input is being read. */
  readonly total?: number;
  /** Items of the input read so far, while `total` is absent. */
  readonly read: number;
  /** Milliseconds since the job began. */
  readonly elapsedMs: number;
  /** Of those that the job's last turn has counted. */
  readonly failed: number;
  readonly retries: number;
  readonly perSecond?: number;
  /** Milliseconds to the end, if the pace stays. */
  readonly remainingMs?: number;
}

/** Shows how far a job is, each time that is known anew. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Clears what was drawn, so that other output can follow. */
  end(): void;
}

/** Shows nothing. */
export const noProgress: ProgressView = { update: () => {}, end: () => {} };
