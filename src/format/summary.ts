import * as z from 'zod';
import { limits } from '../limits.ts';
import { lazily } from '../task/lazily.ts';
import { type ControlReason, controlReasons } from './control.ts';
import type { Digest } from './digest.ts';
import { digestSchema } from './digest-text.ts';
import { recordFormat } from './record.ts';

/** How a job ended: every item has an outcome, or its input was refused before anything was sent. */
export type JobEnd = 'done' | 'cancelled' | 'refused';

/** Why an input was refused. */
export const problemSchema = lazily(() => z.looseObject({ code: z.string(), message: z.string() }));

/** `summary.json`: written once, when every item has an outcome. */
export interface Summary {
  readonly v: 1;
  readonly jobId: string;
  readonly task: string;
  /** Of one pass of the job: which one. */
  readonly pass?: number;
  /** Of a job that was driven again: how many passes are in these counts. */
  readonly passes?: number;
  readonly end: JobEnd;
  /** Why it ended so, where it stopped by itself: more items failed than are tolerated, or enough succeeded. */
  readonly reason?: ControlReason;
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

const whole = lazily(() => z.int().min(0));

export const summaryFormat = recordFormat<Summary>('a summary', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    jobId: z.string(),
    task: z.string(),
    pass: z.int().min(1).exactOptional(),
    passes: z.int().min(1).exactOptional(),
    end: z.enum(['done', 'cancelled', 'refused']),
    reason: z.enum(controlReasons).exactOptional(),
    items: whole(),
    chunks: whole().default(0),
    totals: digestSchema(),
    cancelledFromChunk: whole().exactOptional(),
    problem: problemSchema().exactOptional(),
    messages: whole().default(0),
    turns: whole().default(0),
    createdAt: z.string(),
    endedAt: z.string(),
    wallMs: z.number().default(0),
    workerMemoryMb: whole().default(limits.workerMemoryMb),
  }),
);
