import type { Digest } from './digest.ts';

/** How a job ended: every item has an outcome, or its input was refused before anything was sent. */
export type JobEnd = 'done' | 'cancelled' | 'refused';

/** `summary.json`: written once, when every item has an outcome. */
export interface Summary {
  readonly v: 1;
  readonly jobId: string;
  readonly task: string;
  readonly end: JobEnd;
  readonly items: number;
  readonly chunks: number;
  readonly totals: Digest;
  /** From this chunk (counted over all parts) on, chunks without a result were never sent: their items are cancelled. */
  readonly cancelledFromChunk?: number;
  /** Why the input was refused. */
  readonly problem?: { readonly code: string; readonly message: string };
  /** Messages sent by turns, resends included. */
  readonly messages: number;
  /** Turns of the job's loop, turn 0 included. */
  readonly turns: number;
  readonly createdAt: string;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly wallMs: number;
  readonly workerMemoryMb: number;
}
