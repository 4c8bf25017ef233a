import type { ControlReason } from '../format/control.ts';

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
  /** Calls that the downstream refused for its rate: 429, a throttling error, or 503. */
  readonly refusals: number;
  /** Starts a second to which refusals have brought a job; absent when nothing slows it down. Up to 40 s old. */
  readonly brakedTo?: number;
  /** What that would have cost on AWS so far, in US dollars, by what the last turn has counted. */
  readonly costUsd: number;
  /** What its tasks have reported by `used({ usd })`, in US dollars, by what the last turn has counted; absent where they report nothing. */
  readonly usedUsd?: number;
  /** Items a second over the last minute; absent until something has settled. */
  readonly perSecond?: number;
  /** Milliseconds to the end, if the pace stays. */
  readonly remainingMs?: number;
  /** Why the job pauses; absent while it runs. */
  readonly paused?: ControlReason;
}
