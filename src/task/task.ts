import type { StandardSchemaV1 } from '@standard-schema/spec';
import { limits } from '../limits.ts';
import { type JobLimits, type JobLimitsInput, parseLimits } from './job-limits.ts';
import { fileOf } from './task-file.ts';

/** What a task's function receives beside its item. */
export interface TaskContext {
  /** Aborted when the attempt's timeout is over or its job is cancelled: pass it to whatever the task awaits. */
  readonly signal: AbortSignal;
  /** This try of the item, from 1. */
  readonly attempt: number;
  /** The same for every attempt and redelivery of an item (`jobId/index`): give it to APIs that deduplicate. */
  readonly idempotencyKey: string;
  /** Says what the attempt really used: of the job's units, as tokens, and of its budget in US dollars. May be said again; the sum counts. */
  readonly used: (used: { readonly units?: number; readonly usd?: number }) => void;
  /** Writes one structured line to the function's log, with the job's and the item's names. */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Values of the secrets that the task has declared, by name: each is there. They are taken out of rows, errors, and logs. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Headers that the job adds to each call of the task `http`, with its secrets in place. */
  readonly secretHeaders?: Readonly<Record<string, string>> | undefined;
}

/** What a task that declares secrets receives: they are there. */
export interface SecretContext extends TaskContext {
  readonly secrets: Readonly<Record<string, string>>;
}

/** How a task is written: the argument of {@link defineTask}. */
export interface TaskDefinition<Schema extends StandardSchemaV1, Value> {
  /** One sentence for `fanloop tasks` and `--help`. */
  readonly description: string;
  /** Any Standard Schema (zod, valibot, arktype …); its output is what `run` receives. */
  readonly input: Schema;
  /** One valid item, shown by `fanloop tasks`. */
  readonly example: StandardSchemaV1.InferInput<Schema>;
  /** The async work of one item; what it returns is stored as JSON. Throw `TaskError` to fail with a code. */
  readonly run: (item: StandardSchemaV1.InferOutput<Schema>, context: SecretContext) => Promise<Value> | Value;
  /** Limit of one attempt in milliseconds, 1 to 240,000. @default 10,000 */
  readonly timeoutMs?: number;
  /** Tries of an item, the first included, 1 to 20. @default 3 */
  readonly attempts?: number;
  /** Largest value in bytes of JSON, at most 1,048,576. @default 262,144 */
  readonly maxValueBytes?: number;
  /** Limits of every job of this task, which a job's own replace one by one: `{ rate: '50/s', maxConcurrency: 20 }`. @default none */
  readonly limits?: JobLimitsInput;
  /** What an item costs of what `limits.units` counts, as tokens, before it runs; `context.used` corrects it. @default 1 */
  readonly units?: (item: StandardSchemaV1.InferOutput<Schema>) => number;
  /** Runs each item on a worker thread: for tasks that compute, which would block the event loop for all others. @default false */
  readonly thread?: boolean;
  /**
   * Names of secrets, as `API_TOKEN`: given to `run` as `context.secrets`. They come from the environment or `.env` on embedded, from
   * SecureString parameters of AWS Systems Manager (`/fanloop/STACK/API_TOKEN`) when deployed. A job whose secret is missing is refused.
   * @default none
   */
  readonly secrets?: readonly string[];
}

/**
 * A task as the worker, the command line, and a program use it. `Input` is what an item looks like before the schema has read it,
 * and `Value` what `run` resolves to: a program that submits the task is checked by the compiler.
 */
export interface Task<Input = unknown, Value = unknown> {
  readonly description: string;
  readonly input: StandardSchemaV1;
  readonly example: unknown;
  readonly run: (item: unknown, context: TaskContext) => Promise<unknown>;
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly maxValueBytes: number;
  readonly thread: boolean;
  /** @default none */
  readonly secrets?: readonly string[];
  readonly limits?: JobLimits;
  readonly units?: (item: unknown) => number;
  /** Where `defineTask` was called, as far as the stack tells: the file's name is the task's. */
  readonly file?: string;
  /** Never there: it carries the types. */
  readonly '~types'?: { readonly input: Input; readonly value: Value };
}

/** Whether a value was made by {@link defineTask}, by this copy of the package or another one. */
export function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && 'input' in value && 'run' in value && 'attempts' in value;
}

/**
 * Makes a task from a typed input, a function, and its defaults. A file in `lambdas/tasks/` exports one as `task`.
 *
 * @throws Error when `timeoutMs`, `attempts`, or `maxValueBytes` is out of range, or a secret's name is none.
 * @example
 * export const task = defineTask({
 *   description: 'Looks up one user',
 *   input: z.object({ id: z.int() }),
 *   example: { id: 7 },
 *   run: async ({ id }, { signal }) => lookUp(id, signal),
 * });
 */
export function defineTask<Schema extends StandardSchemaV1, Value>(
  definition: TaskDefinition<Schema, Value>,
): Task<StandardSchemaV1.InferInput<Schema>, Awaited<Value>> {
  const { description, input, example, run } = definition;
  requireDefinition(definition);
  const timeoutMs = definition.timeoutMs ?? limits.timeoutMs;
  const attempts = definition.attempts ?? limits.attempts;
  const maxValueBytes = definition.maxValueBytes ?? limits.valueBytes;
  requireRange('timeoutMs', timeoutMs, limits.maxTimeoutMs);
  requireRange('attempts', attempts, limits.maxAttempts);
  requireRange('maxValueBytes', maxValueBytes, limits.maxValueBytes);
  const secrets = definition.secrets ?? [];
  const wrong = secrets.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong !== undefined) throw new Error(`expected the name of a secret, as API_TOKEN, got ${JSON.stringify(wrong)}`);
  return {
    description,
    input,
    example,
    timeoutMs,
    attempts,
    maxValueBytes,
    thread: definition.thread ?? false,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(definition.limits === undefined ? {} : { limits: parseLimits(definition.limits) }),
    // The worker hands over only what this task's own schema has put out.
    ...(definition.units === undefined ? {} : { units: definition.units as (item: unknown) => number }),
    ...fileOf(defineTask),
    // The worker hands over only what this task's own schema has put out, and the secrets that it declares.
    run: (item, context) => {
      try {
        return Promise.resolve(run(item as StandardSchemaV1.InferOutput<Schema>, context as SecretContext));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

/** What a schema says of an item: its typed value, or why it is refused. */
export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** Checks one item against a task's schema; a problem names the path within the item, as in `url: expected string`. */
export async function parseItem(task: Task, item: unknown): Promise<Parsed> {
  return tryItem(task, item);
}

/** {@link parseItem} without waiting where the schema does not. */
export function tryItem(task: Task, item: unknown): Parsed | Promise<Parsed> {
  try {
    const answer = task.input['~standard'].validate(item);
    return 'then' in answer ? Promise.resolve(answer).then(parsedOf, hasThrown) : parsedOf(answer);
  } catch (error) {
    return hasThrown(error);
  }
}

/** A refinement or transform of the task's own that throws refuses its item, and nothing but its item. */
function hasThrown(error: unknown): Parsed {
  return { ok: false, problem: `the task's schema threw: ${error instanceof Error ? error.message : String(error)}` };
}

function parsedOf(answer: StandardSchemaV1.Result<unknown>): Parsed {
  if (answer.issues === undefined) return { ok: true, value: answer.value };
  const [issue] = answer.issues;
  const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  const message = issue?.message ?? 'refused without a reason';
  return { ok: false, problem: path === '' ? message : `${path}: ${message}` };
}

/** What the compiler says of TypeScript has to be said of JavaScript here. */
function requireDefinition({ description, input, run }: Readonly<Record<keyof typeof expectedParts, unknown>>): void {
  const given = { description, input, run };
  const isGiven = {
    description: typeof description === 'string',
    input: typeof Object(Object(input)['~standard']).validate === 'function',
    run: typeof run === 'function',
  };
  for (const [name, expected] of Object.entries(expectedParts) as [keyof typeof expectedParts, string][]) {
    if (isGiven[name]) continue;
    const got = given[name] === undefined ? 'none' : `a value of type ${typeof given[name]}`;
    throw new Error(`expected defineTask to get ${name}, ${expected}, got ${got}`);
  }
}

const expectedParts = {
  description: 'a text',
  input: 'a Standard Schema as z.string() of zod makes it',
  run: 'a function',
} as const;

function requireRange(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`expected ${name} to be a whole number from 1 to ${max}, got ${value}`);
  }
}
