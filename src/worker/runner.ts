import type { Manifest } from '../format/manifest.ts';
import type { Row } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import { type AttemptOutcome, runAttempt } from './attempt.ts';
import { backoffMs } from './backoff.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { ItemRun, OpenChunk } from './open-chunk.ts';
import type { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** How often the ramp opens further slots. */
const rampStepMs = 50;

/** Runs items: starts what has a slot and the time to end, tries again what may succeed, hands over what must wait. */
export class Runner {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #closer: Closer;
  #rampTimer = false;
  #leaving = false;

  constructor(deps: WorkerDeps, state: WorkerState, closer: Closer) {
    this.#deps = deps;
    this.#state = state;
    this.#closer = closer;
  }

  /** Starts what can start. */
  pump(): void {
    const { clock, deadline } = this.#deps;
    const now = clock.now();
    let isRamping = false;
    for (const job of this.#state.jobs.values()) {
      if (job.ready.length > 0 && !job.fits(now, deadline)) this.#drain(job);
      if (this.#state.isFullOfRows) continue;
      const slots = job.slots(now);
      while (job.running < slots && this.#state.running < limits.maxConcurrency) {
        const run = job.ready.shift();
        if (run === undefined) break;
        this.#start(job, run);
      }
      isRamping ||= job.ready.length > 0 && job.isRamping(now);
    }
    if (this.#state.isFullOfRows) for (const chunk of this.#state.chunks) this.#closer.check(chunk);
    if (!isRamping || this.#rampTimer) return;
    this.#rampTimer = true;
    clock.after(rampStepMs, () => {
      this.#rampTimer = false;
      this.#state.changed.set();
    });
  }

  /** Ends everything of a cancelled job: what runs is aborted, what has not started is cancelled. */
  cancel(job: RunningJob): void {
    job.cancel();
    const left = job.takeAll();
    for (const run of left) settleCancelled(run);
    this.#check(left);
  }

  /** Nothing starts here any more: what has not started is handed over, and what runs has a little time. */
  leave(): void {
    const { clock } = this.#deps;
    this.#leaving = true;
    this.#state.mayPull = false;
    for (const job of this.#state.jobs.values()) this.#drain(job);
    clock.after(limits.leaveCallsMs, () => {
      for (const job of this.#state.jobs.values()) job.leave();
    });
    this.#state.changed.set();
  }

  /** No further item of the job can end in time: what has not started is handed over. */
  #drain(job: RunningJob): void {
    job.draining = true;
    const left = job.takeAll();
    for (const run of left) run.chunk.handOver(run);
    this.#check(left);
  }

  #check(runs: readonly ItemRun[]): void {
    for (const chunk of new Set<OpenChunk>(runs.map((run) => run.chunk))) this.#closer.check(chunk);
  }

  #start(job: RunningJob, run: ItemRun): void {
    const { clock, log } = this.#deps;
    const { jobId, options } = job.manifest;
    run.attempts++;
    run.chunk.attempted();
    job.running++;
    job.ranSince = true;
    this.#state.running++;
    const context = {
      attempt: run.attempts,
      idempotencyKey: keyOf(job.manifest, run.jobIndex),
      log: (message: string, fields?: Readonly<Record<string, unknown>>) =>
        log('info', message, { ...fields, jobId, index: run.jobIndex }),
    };
    const { timeoutMs } = options;
    const at = clock.now() - job.beganAt;
    const attempt = runAttempt({
      task: job.taskOrThrow,
      item: run.item,
      context,
      timeoutMs,
      cancelled: job.stopped,
      clock,
    });
    const settled = attempt.then((outcome) => {
      job.running--;
      this.#state.running--;
      this.#settle(job, run, outcome, at);
      this.#closer.check(run.chunk);
    });
    this.#state.track(settled, jobId);
  }

  #settle(job: RunningJob, run: ItemRun, outcome: AttemptOutcome, at: number): void {
    if (outcome.kind === 'cancelled') {
      if (job.cancelled.aborted) settleCancelled(run);
      else this.#breakOff(run);
      return;
    }
    const { index, about, attempts } = run;
    const { durationMs } = outcome;
    run.callMs += durationMs;
    if (outcome.kind === 'failed' && outcome.error.retryable && attempts < job.manifest.options.attempts) {
      this.#retry(job, run, backoffMs(attempts, outcome.retryAfterMs, this.#deps.random));
      return;
    }
    const row: Row =
      outcome.kind === 'succeeded'
        ? { index, ...about, status: 'succeeded', value: outcome.value, attempts, durationMs, at }
        : { index, ...about, status: 'failed', error: outcome.error, attempts, durationMs, at };
    const bytes = outcome.kind === 'succeeded' ? outcome.bytes : outcome.error.message.length;
    run.chunk.settle(row, { bytes, callMs: run.callMs });
  }

  /** An attempt that the worker itself broke off is none. */
  #breakOff(run: ItemRun): void {
    run.attempts--;
    run.notBefore = this.#deps.clock.now();
    run.chunk.handOver(run);
  }

  #retry(job: RunningJob, run: ItemRun, delayMs: number): void {
    run.notBefore = this.#deps.clock.now() + delayMs;
    if (job.cancelled.aborted) settleCancelled(run);
    else if (job.draining) run.chunk.handOver(run);
    else this.add(job, run);
  }

  /** Puts an item in line, or lets it wait without a slot; it goes to another invocation when the wait is long or ends too late. */
  add(job: RunningJob, run: ItemRun): void {
    const { clock, deadline } = this.#deps;
    const delayMs = run.notBefore - clock.now();
    if (this.#leaving) {
      run.chunk.handOver(run);
    } else if (delayMs <= 0) {
      job.ready.push(run);
    } else if (delayMs > limits.keepRetryMs || !job.fits(run.notBefore, deadline)) {
      run.chunk.handOver(run);
    } else {
      const forget = clock.after(delayMs, () => {
        job.waiting.delete(run);
        job.ready.unshift(run);
        this.#state.changed.set();
      });
      job.waiting.set(run, forget);
    }
  }
}

/** The same for each attempt and redelivery of an item; another one in each pass, unless the pass was asked to keep it. */
function keyOf({ jobId, pass, sameKey }: Manifest, index: number): string {
  return pass === undefined || sameKey === true ? `${jobId}/${index}` : `${jobId}/${index}/${pass}`;
}

function settleCancelled(run: ItemRun): void {
  run.chunk.settle(
    { index: run.index, ...run.about, status: 'cancelled', attempts: run.attempts },
    { bytes: 0, callMs: run.callMs },
  );
}
