import { toJson } from '../format/json.ts';
import type { Manifest } from '../format/manifest.ts';
import type { ItemError } from '../format/outcome.ts';
import type { Clock } from '../ports.ts';
import type { Task } from '../task/task.ts';
import { type AttemptOutcome, startAttempt } from './attempt.ts';
import { begunKey } from './begun.ts';
import type { WorkerDeps } from './deps.ts';
import type { Isolation } from './isolate/isolation.ts';
import type { ItemRun } from './item-run.ts';
import type { Outside } from './item-scope.ts';
import type { RunningJob } from './running-job.ts';
import type { Used } from './usage.ts';

/** The longest time that a timer can have. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimerMs = 2 ** 31 - 1;

/** What a task without secrets gets; made once. */
const noSecrets = {};

/** One item of a job that is tried now. */
interface ItemAttempt {
  readonly job: RunningJob;
  readonly run: ItemRun;
  /** A promise of the item's was rejected, and nobody handled it. */
  readonly unhandled: (error: ItemError) => void;
  readonly used: (used: Used) => void;
  /** A thread has begun the call for which others wait. */
  readonly begun: (job: RunningJob, run: ItemRun) => void;
  readonly outside: Outside;
}

/** Starts one attempt of an item with the context that its task expects, here or where its job runs apart; `settled` is called once, and later. */
export function startItem(
  { clock, log }: Pick<WorkerDeps, 'clock' | 'log'>,
  { job, run, unhandled, used, begun, outside }: ItemAttempt,
  settled: (outcome: AttemptOutcome) => void,
): void {
  const { isolation } = job;
  const { jobId, task, options } = job.manifest;
  const { timeoutMs, secretHeaders } = options;
  const idempotencyKey = keyOf(job.manifest, run.jobIndex);
  const context = {
    attempt: run.attempts,
    idempotencyKey,
    secrets: noSecrets,
    secretHeaders,
    log: (message: string, fields?: Readonly<Record<string, unknown>>) =>
      log('info', message, { ...fields, jobId, index: run.jobIndex }),
    used,
  };
  if (job.begins(run)) Object.assign(context, { [begunKey]: () => begun(job, run) });
  const isHere = isolation === undefined;
  startAttempt(
    {
      task: isHere ? job.taskOrThrow : taskApart(job.taskOrThrow, { isolation, run, job, clock }),
      item: run.item,
      context,
      // The child looks after the timeout: a loop that another item blocks would end everybody's time here.
      timeoutMs: isHere ? timeoutMs : longestTimerMs,
      cancelled: run.chunk.stopped,
      clock,
      scope: { idempotencyKey, task, unhandled },
      outside,
    },
    settled,
  );
}

/** The same for each attempt and redelivery of an item; another one in each pass, unless the pass was asked to keep it. */
function keyOf({ jobId, pass, sameKey }: Manifest, index: number): string {
  return pass === undefined || sameKey === true ? `${jobId}/${index}` : `${jobId}/${index}/${pass}`;
}

/** The task as it runs in a child; where none can be had, it runs here. */
function taskApart(
  task: Task,
  at: {
    readonly isolation: Isolation<ItemRun>;
    readonly run: ItemRun;
    readonly job: RunningJob;
    readonly clock: Clock;
  },
): Task {
  const { isolation, run, job, clock } = at;
  const { task: name, options } = job.manifest;
  return {
    ...task,
    run: async (item, context) => {
      const { attempt, idempotencyKey, signal, secretHeaders, used } = context;
      const request = {
        task: name,
        item: toJson(item) ?? 'null',
        attempt,
        idempotencyKey,
        ...(secretHeaders === undefined ? {} : { secretHeaders }),
        timeoutMs: options.timeoutMs,
      };
      return isolation.run(run, request, signal, { used, begun: () => job.gate.begun(clock.now()) });
    },
  };
}
