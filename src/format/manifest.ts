import * as z from 'zod';
import { limits } from '../limits.ts';
import { type JobLimits, storedLimitsSchema } from '../task/job-limits.ts';
import { lazily } from '../task/lazily.ts';
import type { Digest } from './digest.ts';
import { digestSchema } from './digest-text.ts';
import type { JobFolder } from './paths.ts';
import { recordFormat } from './record.ts';

/** What limits the calls of one job; each has been checked against `limits`. */
export interface JobOptions {
  /** Calls that one worker awaits at once. */
  readonly concurrency: number;
  /** Limit of one attempt. */
  readonly timeoutMs: number;
  /** Tries of an item, the first included. */
  readonly attempts: number;
  /** Whether each item stands in its row. @default false */
  readonly withItem?: boolean;
  /** Headers of each call of the task `http`, with the names of secrets in braces; never their values. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  /** What holds for the job as a whole. @default none */
  readonly limits?: JobLimits;
}

/** How the bytes of an input are items: one JSON value a line, the line itself as a text, or a line with an item and its key. */
export type InputFormat = 'ndjson' | 'lines' | 'entries';

/** A job's input: one object, fixed by its ETag. */
export interface JobInput {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly format: InputFormat;
  /** The mark of the object whose items were all checked before it was stored, see `checkMark`. */
  readonly checked?: string;
}

/** What was asked: `manifest.json`, written once, first of all. */
export interface Manifest {
  readonly v: 1;
  readonly jobId: string;
  readonly task: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly bundle: string;
  readonly input: JobInput;
  readonly options: JobOptions;
  readonly workers: number;
  readonly workerMemoryMb: number;
  /** The fan-out runs the job itself, as the worker of its only chunk. */
  readonly inline: boolean;
  /** Absent for the job itself; a redrive is a pass of its own, from 1. */
  readonly pass?: number;
  /** Of a pass: when the job itself was created, from which rows count their times. ISO 8601. */
  readonly jobCreatedAt?: string;
  /** A pass calls with the keys of the job itself. @default false */
  readonly sameKey?: boolean;
  /** What the outcomes counted that this pass replaces. */
  readonly replaced?: Digest;
  /** SHA-256 of the request, so that another request under the same client token is noticed. */
  readonly request: string;
}

const text = lazily(() => z.string());
const whole = lazily(() => z.int().min(0));

export const manifestFormat = recordFormat<Manifest>('a manifest', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    jobId: text(),
    task: text(),
    createdAt: text(),
    bundle: text().default(''),
    input: z.looseObject({
      bucket: text(),
      key: text(),
      bytes: whole(),
      etag: text(),
      format: z.enum(['ndjson', 'lines', 'entries']).default('ndjson'),
      checked: text().exactOptional(),
    }),
    options: z.looseObject({
      concurrency: z.int().min(1).default(limits.concurrency),
      timeoutMs: z.int().min(1).default(limits.timeoutMs),
      attempts: z.int().min(1).default(limits.attempts),
      withItem: z.boolean().exactOptional(),
      secretHeaders: z.record(text(), text()).exactOptional(),
      limits: storedLimitsSchema().exactOptional(),
    }),
    workers: z.int().min(1).default(limits.workers),
    workerMemoryMb: z.int().min(1).default(limits.workerMemoryMb),
    inline: z.boolean().default(false),
    pass: z.int().min(1).exactOptional(),
    jobCreatedAt: text().exactOptional(),
    sameKey: z.boolean().exactOptional(),
    replaced: digestSchema().exactOptional(),
    request: text().default(''),
  }),
);

/** The folder in which a manifest stands. */
export const manifestFolder = ({ jobId, pass = 0 }: Pick<Manifest, 'jobId' | 'pass'>): JobFolder => ({
  id: jobId,
  pass,
});
