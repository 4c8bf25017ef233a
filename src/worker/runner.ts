import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import { Alarm } from './alarm.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { ItemRun } from './item-run.ts';
import { outsideOfItems } from './item-scope.ts';
import type { OpenChunk } from './open-chunk.ts';
import { retryAfter } from './retry-after.ts';
import { startItem } from './run-item.ts';
import type { RunningJob } from './running-job.ts';
import { settleCancelled, settleOutcome } from './settle-item.ts';
import { TurnTimers } from './turn-timers.ts';
import { unitsOf } from './units-of.ts';
import { Usage, type Used } from './usage.ts';
import type { WorkerState } from './worker-state.ts';

/** What is left of the time to leave for the answer itself. */
const leaveMarginMs = 500;

/** Runs items: starts what has a slot and the time to end, tries again what may succeed, hands over what must wait. */
export class Runner {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #closer: Closer;
  readonly #alarm: Alarm;
  /** The attempts' clock. */
  readonly #timers: TurnTimers;
  readonly #outside = outsideOfItems();
  #leaving = false;

  constructor(deps: WorkerDeps, state: WorkerState, closer: Closer) {
    this.#deps = deps;
    this.#state = state;
    this.#closer = closer;
    this.#alarm = new Alarm(deps.clock, () => state.changed.set());
    this.#timers = new TurnTimers(deps.clock);
  }

  /** Starts what can start. */
  pump(): void {
    const { clock, deadline } = this.#deps;
    const now = clock.now();
    for (const job of this.#state.jobs.values()) job.pace.update(now);
    for (const job of this.#state.jobs.values()) if (job.ready.length > 0 && !job.fits(now, deadline)) this.#drain(job);
    if (this.#state.isFullOfRows) {
      for (const job of this.#state.jobs.values()) if (job.ready.length > 0) job.pace.meter.heldUp();
      for (const chunk of this.#state.chunks) this.#closer.check(chunk);
      return;
    }
    const waitMs = this.#startItems(now);
    if (Number.isFinite(waitMs)) this.#alarm.set(Math.max(1, Math.ceil(waitMs)));
  }

  /**
   * Starts items while there are slots, each time of the job that has the fewest for its weight: so whoever has come last gets a
   * part of the slots as they are freed, and what a job does not need goes to the others.
   *
   * @returns milliseconds after which more may start by themselves.
   */
  #startItems(now: number): number {
    let waitMs = Number.POSITIVE_INFINITY;
    this.#timers.turn();
    const jobs = [...this.#state.jobs.values()].filter((job) => job.ready.length > 0);
    while (this.#state.running < limits.maxConcurrency) {
      const job = fewestForItsWeight(jobs);
      if (job === undefined) break;
      const admission = job.gate.next(now, job.running + this.#state.runningApart(job));
      const run = admission.kind === 'start' ? job.next() : undefined;
      if (run !== undefined) this.#start(job, run);
      else if (job.isBeginning) job.pace.meter.heldUp();
      else if (admission.kind === 'wait') waitMs = Math.min(waitMs, admission.ms);
      else if (job.pace.isBoundByWorker && job.running >= limits.maxConcurrency) job.pace.meter.heldUp();
      if (run !== undefined && job.ready.length > 0) continue;
      // Nearly always there is one.
      if (jobs.length === 1) jobs.pop();
      else jobs.splice(jobs.indexOf(job), 1);
    }
    if (this.#state.running >= limits.maxConcurrency) for (const job of jobs) job.pace.meter.heldUp();
    return waitMs;
  }

  /** Forgets the time of the next start. */
  close(): void {
    this.#alarm.cancel();
  }

  /** Nothing of the job starts here for a time: what has not started is left to whoever has it next. */
  giveBack(job: RunningJob): void {
    if (!job.draining || job.ready.length > 0 || job.waiting.size > 0) this.#drain(job);
  }

  /** The job pauses, or has given its chunks out anew: what has not started is left, and what runs ends. */
  rest(job: RunningJob): void {
    const isLeft = job.pace.isPaused || this.#state.chunks.some((chunk) => chunk.job === job && chunk.isVoid);
    if (isLeft) this.#drain(job);
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
    this.#state.endAt = Math.min(this.#state.endAt, clock.now() + limits.leaveMs - leaveMarginMs);
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
    const now = clock.now();
    run.attempts++;
    run.chunk.attempted();
    const units = unitsOf(job, run);
    const usage = new Usage();
    job.gate.started(now, units);
    job.pace.meter.started(units);
    job.running++;
    job.ranSince = true;
    this.#state.running++;
    const at = now - job.beganAt;
    const unhandled = (error: ItemError): void => this.chargeFault(run, error);
    const about = {
      job,
      run,
      unhandled,
      used: (used: Used) => usage.add(used),
      begun: this.#begun,
      outside: this.#outside,
    };
    startItem({ clock: this.#timers, log }, about, (outcome) => {
      job.begun(run);
      job.running--;
      this.#state.running--;
      this.#state.guard(() => {
        if (usage.units !== undefined) job.gate.settled(clock.now(), usage.units - units);
        if (usage.usd !== undefined) run.chunk.spend(usage.usd);
        this.#settle(job, run, outcome, at);
        this.#closer.check(run.chunk);
      }, job.manifest.jobId);
    });
  }

  /** A thread has begun an item's call: the next one that is paced may start. */
  readonly #begun = (job: RunningJob, run: ItemRun): void => {
    job.begun(run, this.#deps.clock.now());
    this.#state.changed.set();
  };

  #settle(job: RunningJob, run: ItemRun, outcome: AttemptOutcome, at: number): void {
    if (run.chunk.isDropped) return;
    if (outcome.kind === 'brokenOff') {
      this.#runAgain(job, run);
      return;
    }
    if (outcome.kind === 'cancelled') {
      if (job.cancelled.aborted) settleCancelled(run);
      else this.#breakOff(run);
      return;
    }
    run.callMs += outcome.durationMs;
    const retryMs =
      outcome.kind === 'failed' && run.fault === undefined ? retryAfter(this.#deps, { job, run, outcome }) : undefined;
    if (retryMs !== undefined) {
      this.#retry(job, run, retryMs);
      return;
    }
    job.pace.counted(outcome.kind === 'failed' || run.fault !== undefined);
    if (outcome.kind === 'succeeded' && run.fault === undefined) job.gate.succeeded(this.#deps.clock.now());
    settleOutcome(run, outcome, at);
  }

  /** The process of the attempt ended through another item: it is tried again, at once and as if it had not been. */
  #runAgain(job: RunningJob, run: ItemRun): void {
    const { clock, deadline } = this.#deps;
    if (this.#leaving || job.draining || !job.fits(clock.now(), deadline)) {
      this.#breakOff(run);
    } else {
      run.attempts--;
      job.ready.unshift(run);
    }
  }

  /** An item did something to its process that nobody handled: it fails by that, also when it has answered since. */
  chargeFault(run: ItemRun, error: ItemError): void {
    run.fault ??= error;
    run.chunk.fail(run, error);
  }

  /** An attempt that the worker itself broke off is none. */
  #breakOff(run: ItemRun): void {
    run.attempts--;
    run.notBefore = 0;
    run.chunk.handOver(run);
  }

  #retry(job: RunningJob, run: ItemRun, delayMs: number): void {
    run.notBefore = this.#deps.clock.now() + delayMs;
    run.waitMs = delayMs;
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

/** Among jobs that meet in a worker, the one that has the fewest calls under way for its weight. */
function fewestForItsWeight(jobs: readonly RunningJob[]): RunningJob | undefined {
  let fewest = jobs[0];
  for (const job of jobs) {
    if (fewest !== undefined && job.running * fewest.weight < fewest.running * job.weight) fewest = job;
  }
  return fewest;
}
