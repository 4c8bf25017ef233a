import { parseToWrite } from '../../format/json.ts';
import type { ItemError } from '../../format/outcome.ts';
import { NotJsonError, valueJson } from '../../format/value.ts';
import type { Log } from '../../ports.ts';
import { FailedElsewhere, failureOf } from '../../task/failure.ts';
import type { TaskRegistry } from '../../task/registry.ts';
import type { Task } from '../../task/task.ts';
import { begunOf } from '../begun.ts';
import { type ItemScope, itemScope } from '../item-scope.ts';
import { Usage, type Used } from '../usage.ts';

/** What a thread is asked to do: plain data, since threads share no memory. */
export interface ThreadRequest {
  readonly task: string;
  readonly item: unknown;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly secretHeaders?: Readonly<Record<string, string>>;
  /** Told when the task is called. @default nobody */
  readonly begun?: { postMessage(value: null): void };
}

/** What a thread answers; an error class would not survive the way between threads. */
export type ThreadAnswer = { readonly used?: Used } & (
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly error: ItemError; readonly retryAfterMs: number | undefined }
);

/** Runs a request on a thread; rejects when the signal aborts, and the thread is ended then. `begun` is called when the task is. */
export type RunOnThread = (
  request: Omit<ThreadRequest, 'begun'>,
  signal: AbortSignal,
  begun?: () => void,
) => Promise<ThreadAnswer>;

/** The tasks as the worker's loop runs them: those that compute run on threads. */
export function withThreads(tasks: TaskRegistry, runOnThread: RunOnThread): TaskRegistry {
  return {
    names: tasks.names,
    load: async (name, secretHeaders) => {
      const task = await tasks.load(name, secretHeaders);
      return task?.thread === true ? onThread(name, task, runOnThread) : task;
    },
  };
}

function onThread(name: string, task: Task, runOnThread: RunOnThread): Task {
  return {
    ...task,
    run: async (item, context) => {
      const { attempt, idempotencyKey, signal, secretHeaders, used } = context;
      const templates = secretHeaders === undefined ? {} : { secretHeaders };
      const answer = await runOnThread(
        { task: name, item, attempt, idempotencyKey, ...templates },
        signal,
        begunOf(context),
      );
      if (answer.used !== undefined) used(answer.used);
      if (answer.ok) return parseToWrite(answer.json);
      throw new FailedElsewhere(answer.error, answer.retryAfterMs);
    },
  };
}

/** The thread's side: runs the task; its signal never aborts, since an aborted thread is ended. */
export async function answerOnThread(
  tasks: TaskRegistry,
  request: ThreadRequest,
  { log, now }: { readonly log: Log; readonly now: () => number },
): Promise<ThreadAnswer> {
  const { attempt, idempotencyKey } = request;
  const task = await tasks.load(request.task);
  if (task === undefined) throw new Error(`expected a task "${request.task}", got none`);
  const [jobId, index] = idempotencyKey.split('/');
  const usage = new Usage();
  const context = {
    attempt,
    idempotencyKey,
    signal: new AbortController().signal,
    secretHeaders: request.secretHeaders,
    log: (message: string, fields?: Readonly<Record<string, unknown>>) =>
      log('info', message, { ...fields, jobId, index: Number(index) }),
    used: (used: Used) => usage.add(used),
  };
  let fault: ItemError | undefined;
  const unhandled = (error: ItemError): void => {
    fault ??= error;
  };
  const scope: ItemScope = { idempotencyKey, task: request.task, unhandled };
  const answered = (answer: ThreadAnswer): ThreadAnswer => ({
    ...(fault === undefined ? answer : { ok: false, error: fault, retryAfterMs: undefined }),
    ...usage.said(),
  });
  try {
    request.begun?.postMessage(null);
    // As text: what threads pass to each other loses classes without a word.
    const json = valueJson(await itemScope.run(scope, () => task.run(request.item, context)));
    return answered({ ok: true, json });
  } catch (error) {
    if (error instanceof NotJsonError) {
      const { message } = error;
      return answered({
        ok: false,
        error: { code: 'ResultNotJson', message, retryable: false },
        retryAfterMs: undefined,
      });
    }
    return answered({ ok: false, ...failureOf(error, now()) });
  }
}
