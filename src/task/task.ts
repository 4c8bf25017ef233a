import type { StandardSchemaV1 } from '@standard-schema/spec';
import { limits } from '../limits.ts';
import { fileOf } from './task-file.ts';

/** What a task's function receives beside its item. */
export interface TaskContext {
  /** Aborted when the attempt's timeout is over or its job is cancelled: pass it to whatever the task awaits. */
  readonly signal: AbortSignal;
  /** This try of the item, from 1. */
  readonly attempt: number;
  /** The same for every attempt and redelivery of an item (`jobId/index`): give it to APIs that deduplicate. */
  readonly idempotencyKey: string;
  /** Writes one structured line to the function's log, with the job's and the item's names. */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
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
  readonly run: (item: StandardSchemaV1.InferOutput<Schema>, context: TaskContext) => Promise<Value> | Value;
  /** Limit of one attempt in milliseconds, 1 to 240,000. @default 10,000 */
  readonly timeoutMs?: number;
  /** Tries of an item, the first included, 1 to 20. @default 3 */
  readonly attempts?: number;
  /** Largest value in bytes of JSON, at most 1,048,576. @default 262,144 */
  readonly maxValueBytes?: number;
  /** Runs each item on a worker thread: for tasks that compute, which would block the event loop for all others. @default false */
  readonly thread?: boolean;
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
 * @throws Error when `timeoutMs`, `attempts`, or `maxValueBytes` is out of range.
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
  const timeoutMs = definition.timeoutMs ?? limits.timeoutMs;
  const attempts = definition.attempts ?? limits.attempts;
  const maxValueBytes = definition.maxValueBytes ?? limits.valueBytes;
  requireRange('timeoutMs', timeoutMs, limits.maxTimeoutMs);
  requireRange('attempts', attempts, limits.maxAttempts);
  requireRange('maxValueBytes', maxValueBytes, limits.maxValueBytes);
  return {
    description,
    input,
    example,
    timeoutMs,
    attempts,
    maxValueBytes,
    thread: definition.thread ?? false,
    ...fileOf(defineTask),
    // The worker hands over only what this task's own schema has put out.
    run: async (item, context) => run(item as StandardSchemaV1.InferOutput<Schema>, context),
  };
}

/** What a schema says of an item: its typed value, or why it is refused. */
export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** Checks one item against a task's schema; a problem names the path within the item, as in `url: expected string`. */
export async function parseItem(task: Task, item: unknown): Promise<Parsed> {
  let answer: StandardSchemaV1.Result<unknown>;
  try {
    answer = await task.input['~standard'].validate(item);
  } catch (error) {
    // A refinement or transform of the task's own that throws refuses its item, and nothing but its item.
    return { ok: false, problem: `the task's schema threw: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (answer.issues === undefined) return { ok: true, value: answer.value };
  const [issue] = answer.issues;
  const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  const message = issue?.message ?? 'refused without a reason';
  return { ok: false, problem: path === '' ? message : `${path}: ${message}` };
}

function requireRange(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`expected ${name} to be a whole number from 1 to ${max}, got ${value}`);
  }
}
