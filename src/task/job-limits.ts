import * as z from 'zod';
import { UsageError } from './errors.ts';
import { lazily } from './lazily.ts';
import { rateSchema, rateWanted } from './rate.ts';

/** Bounds of what can be asked for. */
export const maxAtOnce = 100_000;
const maxRampMs = 86_400_000;

const shape = lazily(() => ({
  /** Calls at once, of all workers together. @default what the workers can hold */
  maxConcurrency: z.int().min(1).max(maxAtOnce).exactOptional(),
  /** Starts of attempts, of all workers together: `50/s`, `3000/min`, or `{limit, perMs}`. @default none */
  rate: rateSchema().exactOptional(),
  /** What a task's `units(item)` adds up to, as tokens. @default none */
  units: rateSchema().exactOptional(),
  /** Time over which the limits open. @default 1 s without limits, else none */
  rampMs: z.int().min(0).max(maxRampMs).exactOptional(),
  /** Whether refusals slow the job down by themselves. @default true */
  adaptive: z.boolean().exactOptional(),
  /** Percentage of failures among the last 100 outcomes of a worker at which the job pauses. @default none */
  breaker: z.number().gt(0).max(100).exactOptional(),
  /** Percentage of failed items at which the job ends. @default none */
  toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
  /** Number of failed items which the job still tolerates. @default none */
  toleratedFailureCount: z.int().min(0).exactOptional(),
  /** Number of succeeded items at which the job ends, done. @default none */
  minSuccessful: z.int().min(1).exactOptional(),
  /** What tasks report as `usd`, and the compute, at which the job pauses. @default none */
  budgetUsd: z.number().positive().exactOptional(),
  /** Items that are run first; the job goes on by itself when they did well. @default none */
  canary: z.int().min(1).exactOptional(),
  /** Whether the job pauses behind the canary in any case. @default false */
  canaryWait: z.boolean().exactOptional(),
  /** Share of a worker's slots where jobs meet, 1 to 5. @default 3 */
  priority: z.int().min(1).max(5).exactOptional(),
}));

/** Limits as a request or a task gives them. */
export const limitsSchema = lazily(() => z.strictObject(shape()));

/** What holds for a job as a whole, whatever the number of its workers. Absent is unlimited. */
export type JobLimits = z.output<ReturnType<typeof limitsSchema>>;

/** As people write them: rates may be texts. */
export type JobLimitsInput = z.input<ReturnType<typeof limitsSchema>>;

const percentage = 'a percentage';
const wholeFrom1 = 'a whole number from 1';
/** What each limit is to be, in words. */
const wanted: Readonly<Record<keyof JobLimits, string>> = {
  rate: rateWanted,
  units: rateWanted,
  maxConcurrency: `${wholeFrom1} to ${maxAtOnce}`,
  rampMs: `milliseconds from 0 to ${maxRampMs}`,
  adaptive: 'true or false',
  breaker: `${percentage} over 0, at most 100`,
  toleratedFailurePercentage: `${percentage} from 0 to 100`,
  toleratedFailureCount: 'a whole number from 0',
  minSuccessful: wholeFrom1,
  budgetUsd: 'US dollars over 0',
  canary: wholeFrom1,
  canaryWait: 'true or false',
  priority: `${wholeFrom1} to 5`,
};

/** Why limits are refused, in one sentence that says what was expected and what was got; undefined where `issue` is not of one of them. */
export function limitsProblem(given: unknown, issue: z.core.$ZodIssue): string | undefined {
  const [name = ''] = issue.path as readonly string[];
  const what = (wanted as Readonly<Record<string, string>>)[name];
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0)
    return `limits.${issue.keys[0]}: expected one of ${Object.keys(shape()).join(', ')}`;
  if (issue.path.length === 0) return `limits: expected an object, got ${JSON.stringify(given)}`;
  if (what === undefined) return undefined;
  const got = (given as Readonly<Record<string, unknown>>)[name];
  return `limits.${name}: expected ${what}, got ${typeof got === 'number' ? got : JSON.stringify(got)}`;
}

/** Reads limits as people write them. @throws UsageError `InvalidOptions` that names the limit which does not fit */
export function parseLimits(given: JobLimitsInput): JobLimits {
  const parsed = limitsSchema().safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = issue === undefined ? undefined : limitsProblem(given, issue);
  throw new UsageError('InvalidOptions', problem ?? `limits.${issue?.path.join('.')}: ${issue?.message}`);
}

/** A job's own limits over those of its task or of an earlier pass, one by one; the failures that are tolerated are one, as a number or a percentage. */
export function limitsOver(before: JobLimits | undefined, own: JobLimits): JobLimits {
  const { toleratedFailureCount, toleratedFailurePercentage, ...others } = before ?? {};
  const saysTolerated = own.toleratedFailureCount !== undefined || own.toleratedFailurePercentage !== undefined;
  return { ...(saysTolerated ? others : before), ...own };
}

/** Refuses a wait behind a canary that is none: the job would not wait. @throws UsageError `InvalidOptions` */
export function requireCanary({ canary, canaryWait }: JobLimits): void {
  if (canaryWait === true && canary === undefined)
    throw new UsageError('InvalidOptions', 'expected --canary N (canary) beside --canary-wait (canaryWait), got none');
}

/** Read from a record: what newer code added is left alone. */
export const storedLimitsSchema = lazily(() => z.looseObject(shape()));

/** Whether the job ends or pauses by itself at some count: then it is looked at often, and in small chunks. */
export const hasStops = (limits: JobLimits): boolean => stopsAtCount(limits) || limits.canary !== undefined;

/** The same of counts to which any worker may add at any time: a canary's items are given out by turns alone. */
export const stopsAtCount = (limits: JobLimits): boolean =>
  limits.toleratedFailureCount !== undefined ||
  limits.toleratedFailurePercentage !== undefined ||
  limits.minSuccessful !== undefined ||
  limits.budgetUsd !== undefined;

/** Whether workers have to agree on the job's pace, and so need a seat to run it. */
export const needsSeats = (limits: JobLimits): boolean =>
  limits.maxConcurrency !== undefined || limits.rate !== undefined || limits.units !== undefined;
