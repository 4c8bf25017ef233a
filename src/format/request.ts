import * as z from 'zod';
import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';
import { limitsProblem, limitsSchema, maxAtOnce } from '../task/job-limits.ts';
import { lazily } from '../task/lazily.ts';
import { digestSchema } from './digest-text.ts';
import type { Row } from './outcome.ts';
import { rarely, recordFormat, refuseNewer } from './record.ts';
import { type Summary, summaryFormat } from './summary.ts';

const optionsSchema = lazily(() =>
  z.strictObject({
    /** Calls at once, of all workers together: the same as `limits.maxConcurrency`. */
    concurrency: z.int().min(1).max(maxAtOnce).optional(),
    /** Calls that one worker awaits at once where no limit says less. */
    perWorker: z.int().min(1).max(limits.maxConcurrency).optional(),
    timeoutMs: z.int().min(1).max(limits.maxTimeoutMs).optional(),
    attempts: z.int().min(1).max(limits.maxAttempts).optional(),
    withItem: z.boolean().optional(),
    /** Headers of the task `http`, with names of secrets in braces: `{authorization: 'Bearer {API_TOKEN}'}`. */
    secretHeaders: z.record(z.string(), z.string()).optional(),
    /** What holds for the job as a whole. */
    limits: limitsSchema().optional(),
  }),
);

/** The version of requests that this code understands. */
const requestVersion = 1;

const redriveSchema = lazily(() =>
  z.strictObject({
    job: z.string(),
    pass: z.int().min(1),
    sameKey: z.boolean().optional(),
    /** What the outcomes count that the pass replaces. */
    replaced: digestSchema(),
  }),
);

const requestSchema = lazily(() =>
  z
    .strictObject({
      /** The version of the request's shape. @default 1 */
      v: z.literal(requestVersion).optional(),
      task: z.string(),
      items: z.array(z.unknown()).optional(),
      input: z
        .string()
        .regex(/^s3:\/\/[^/]+\/.+$/, 'expected s3://bucket/key')
        .optional(),
      /**
       * How an S3 input is read; by its name's ending when absent: `.txt` has an item a line, anything else a JSON value a line.
       * `entries`, also for `items`: each is `{item, key}`, or `{invalid: {code, message}, key}` for one that is to fail.
       */
      format: z.enum(['ndjson', 'lines', 'entries']).optional(),
      options: optionsSchema().optional(),
      clientToken: z.string().min(1).max(256).optional(),
      wait: z.boolean().optional(),
      /** The input holds items of an earlier job that run again, as a pass of it: entries with their index. */
      redrive: redriveSchema().optional(),
    })
    .refine((request) => (request.items === undefined) !== (request.input === undefined), {
      message: 'expected either items or input',
    })
    .refine(({ redrive, input }) => redrive === undefined || input !== undefined, {
      message: 'expected the input of a redrive to be an object',
    }),
);

/** What the fan-out function is invoked with: a task, its items or an S3 object of them, and limits. */
export type FanOutRequest = z.infer<ReturnType<typeof requestSchema>>;

/**
 * What the fan-out function answers: the job's id, and for a small job that it ran at once also its rows in input order,
 * unless they are larger than an invocation may answer: then they are in the job's folder only.
 */
export type FanOutAnswer =
  | { readonly jobId: string; readonly state: 'running' }
  | { readonly jobId: string; readonly state: 'done'; readonly summary: Summary; readonly rows?: readonly Row[] };

/** Rows are not checked one by one: they are what the worker made. */
const rowsSchema = () => z.custom<readonly Row[]>((value) => Array.isArray(value));

export const answerFormat = recordFormat<FanOutAnswer>('an answer of the fan-out', 1, () =>
  z.discriminatedUnion('state', [
    z.looseObject({ jobId: z.string(), state: z.literal('running') }),
    z.looseObject({
      jobId: z.string(),
      state: z.literal('done'),
      summary: z.unknown().transform((value) => summaryFormat.read(value)),
      rows: rowsSchema().exactOptional(),
    }),
  ]),
);

/** Reads the fan-out's event. @throws UsageError `InvalidRequest` that names the path of what does not fit, or `NewerVersion`. */
export function parseRequest(event: unknown): FanOutRequest {
  refuseNewer('a request', event, requestVersion);
  const parsed = requestSchema().safeParse(event, rarely);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  // Whatever it is that has the path, it has options.
  const given = issue?.path[0] === 'options' && issue.path[1] === 'limits' && (event as FanOutRequest).options?.limits;
  const problem = given ? limitsProblem(given, { ...issue, path: issue.path.slice(2) }) : undefined;
  if (problem !== undefined) throw new UsageError('InvalidRequest', `options.${problem}`);
  throw new UsageError(
    'InvalidRequest',
    `${path === '' ? 'the request' : path}: ${issue?.message ?? 'not understood'}; send {"task": …, "items": […]} or {"task": …, "input": "s3://bucket/key"}`,
  );
}
