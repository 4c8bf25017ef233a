import type { Control } from '../format/control.ts';
import { generationOf } from '../format/message.ts';
import { noShare, type Share } from '../format/share.ts';
import { limits } from '../limits.ts';
import type { JobLimits } from '../task/job-limits.ts';
import { Breaker } from './breaker.ts';
import { Gate } from './gate.ts';

/** What a job's pace in this worker depends on from its start. */
export interface PaceStart {
  readonly now: number;
  readonly control: Control;
  /** Calls at once here, where no limit says less. */
  readonly concurrency: number;
}

/** How fast one job may go in this worker: what its control says, and the gate that it opens. */
export class Pace {
  readonly gate: Gate;
  readonly #concurrency: number;
  #control: Control;
  /** When the last good look at the control began. */
  #lookedAt: number;
  #breaker: Breaker | undefined;

  constructor({ now, control, concurrency }: PaceStart) {
    const { rampMs = limits.rampMs, adaptive = true } = control.table.limits;
    this.#concurrency = concurrency;
    this.#control = control;
    this.#lookedAt = now;
    this.#breaker = breakerOf(control);
    this.gate = new Gate({ now, share: this.#share(), rampMs, adaptive });
  }

  get control(): Control {
    return this.#control;
  }

  get limits(): JobLimits {
    return this.#control.table.limits;
  }

  get isPaused(): boolean {
    return this.#control.state === 'paused';
  }

  /** Whether a message of generation `gen` stands for nothing any more: the job pauses, or has given its chunks out anew. */
  isVoid(gen: number): boolean {
    return this.isPaused || generationOf(gen) < this.#control.generation;
  }

  /** Whether the control may have changed since it was read. */
  isOld(now: number): boolean {
    return now - this.#lookedAt > limits.controlMs;
  }

  /** A look at the control came back that began at `beganAt`; undefined is a job that nobody has steered. */
  saw(control: Control | undefined, beganAt: number): void {
    this.#lookedAt = Math.max(this.#lookedAt, beganAt);
    if (control === undefined || control.revision <= this.#control.revision) return;
    const { breaker } = control.table.limits;
    // Whoever resumes a job, or gives it another breaker, has looked at what failed.
    if (breaker !== this.limits.breaker || this.isPaused) this.#breaker = breakerOf(control);
    this.#control = control;
    this.gate.adaptive = control.table.limits.adaptive ?? true;
    this.gate.share = this.#share();
  }

  /** Whether so many of the last outcomes failed that the job has to rest. */
  get isBroken(): boolean {
    return this.#breaker?.isTripped === true;
  }

  /** Counts an item that has settled here. */
  counted(failed: boolean): void {
    this.#breaker?.count(failed);
  }

  #share(): Share {
    if (this.isPaused) return noShare;
    return { calls: this.#concurrency, perSecond: Number.POSITIVE_INFINITY, unitsPerSecond: Number.POSITIVE_INFINITY };
  }
}

const breakerOf = ({ table }: Control): Breaker | undefined =>
  table.limits.breaker === undefined ? undefined : new Breaker(table.limits.breaker);
