import type { Row } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import { type AttemptOutcome, runAttempt } from './attempt.ts';
import { backoffMs } from './backoff.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { ItemRun, OpenChunk } from './open-chunk.ts';
import type { Lane } from './running-job.ts';
import type { Holdings } from './worker-state.ts';

/** How often the ramp opens further slots. */
const rampStepMs = 50;

/** Runs items: starts what has a slot and the time to end, tries again what may succeed, hands over what must wait. */
export class Runner {
  readonly #deps: WorkerDeps;
  readonly #holdings: Holdings;
  readonly #closer: Closer;
  #rampTimer = false;

  constructor(deps: WorkerDeps, holdings: Holdings, closer: Closer) {
    this.#deps = deps;
    this.#holdings = holdings;
    this.#closer = closer;
  }

  /** Starts what can start. */
  pump(): void {
    const { clock, deadline } = this.#deps;
    const now = clock.now();
    let isRamping = false;
    for (const lane of this.#holdings.lanes.values()) {
      if (lane.ready.length > 0 && !lane.fits(now, deadline)) this.#drain(lane);
      if (this.#holdings.isFullOfRows) continue;
      const slots = lane.slots(now);
      while (lane.running < slots && this.#holdings.running < limits.maxConcurrency) {
        const run = lane.ready.shift();
        if (run === undefined) break;
        this.#start(lane, run);
      }
      isRamping ||= lane.ready.length > 0 && lane.isRamping(now);
    }
    if (this.#holdings.isFullOfRows) for (const chunk of this.#holdings.chunks) this.#closer.check(chunk);
    if (!isRamping || this.#rampTimer) return;
    this.#rampTimer = true;
    clock.after(rampStepMs, () => {
      this.#rampTimer = false;
      this.#holdings.changed.set();
    });
  }

  /** Ends everything of a cancelled job: what runs is aborted, what has not started is cancelled. */
  cancel(lane: Lane): void {
    lane.cancel();
    const left = lane.takeAll();
    for (const run of left) settleCancelled(run);
    this.#check(left);
  }

  /** No further item of the lane can end in time: what has not started is handed over. */
  #drain(lane: Lane): void {
    lane.draining = true;
    const left = lane.takeAll();
    for (const run of left) run.chunk.handOver(run);
    this.#check(left);
  }

  #check(runs: readonly ItemRun[]): void {
    for (const chunk of new Set<OpenChunk>(runs.map((run) => run.chunk))) this.#closer.check(chunk);
  }

  #start(lane: Lane, run: ItemRun): void {
    const { clock, log } = this.#deps;
    const { jobId, options } = lane.manifest;
    run.attempts++;
    run.chunk.attempted();
    lane.running++;
    lane.ranSince = true;
    this.#holdings.running++;
    const context = {
      attempt: run.attempts,
      idempotencyKey: `${jobId}/${run.index}`,
      log: (message: string, fields?: Readonly<Record<string, unknown>>) =>
        log('info', message, { ...fields, jobId, index: run.index }),
    };
    const { timeoutMs } = options;
    const attempt = runAttempt({
      task: lane.taskOrThrow,
      item: run.item,
      context,
      timeoutMs,
      cancelled: lane.cancelled,
      clock,
    });
    const settled = attempt.then((outcome) => {
      lane.running--;
      this.#holdings.running--;
      this.#settle(lane, run, outcome);
      this.#closer.check(run.chunk);
    });
    this.#holdings.own(settled, jobId);
  }

  #settle(lane: Lane, run: ItemRun, outcome: AttemptOutcome): void {
    if (outcome.kind === 'cancelled') {
      settleCancelled(run);
      return;
    }
    const { index, attempts } = run;
    const { durationMs } = outcome;
    run.callMs += durationMs;
    if (outcome.kind === 'failed' && outcome.error.retryable && attempts < lane.manifest.options.attempts) {
      this.#retry(lane, run, backoffMs(attempts, outcome.retryAfterMs, this.#deps.random));
      return;
    }
    const row: Row =
      outcome.kind === 'succeeded'
        ? { index, status: 'succeeded', value: outcome.value, attempts, durationMs }
        : { index, status: 'failed', error: outcome.error, attempts, durationMs };
    const bytes = outcome.kind === 'succeeded' ? outcome.bytes : outcome.error.message.length;
    run.chunk.settle(row, { bytes, callMs: run.callMs });
  }

  #retry(lane: Lane, run: ItemRun, delayMs: number): void {
    run.notBefore = this.#deps.clock.now() + delayMs;
    if (lane.cancelled.aborted) settleCancelled(run);
    else if (lane.draining) run.chunk.handOver(run);
    else this.add(lane, run);
  }

  /** Puts an item in line, or lets it wait without a slot; it goes to another invocation when the wait is long or ends too late. */
  add(lane: Lane, run: ItemRun): void {
    const { clock, deadline } = this.#deps;
    const delayMs = run.notBefore - clock.now();
    if (delayMs <= 0) {
      lane.ready.push(run);
    } else if (delayMs > limits.keepRetryMs || !lane.fits(run.notBefore, deadline)) {
      run.chunk.handOver(run);
    } else {
      const forget = clock.after(delayMs, () => {
        lane.waiting.delete(run);
        lane.ready.unshift(run);
        this.#holdings.changed.set();
      });
      lane.waiting.set(run, forget);
    }
  }
}

function settleCancelled(run: ItemRun): void {
  run.chunk.settle({ index: run.index, status: 'cancelled', attempts: run.attempts }, { bytes: 0, callMs: run.callMs });
}
