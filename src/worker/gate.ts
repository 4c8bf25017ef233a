import type { Share } from '../format/share.ts';
import { limits } from '../limits.ts';
import { Brake } from './brake.ts';
import { Gcra } from './gcra.ts';
import { Ramp } from './ramp.ts';

/** Whether an attempt may start: now, after some time, or only when another has ended or the share has changed. */
export type Admission =
  | { readonly kind: 'start' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'full' };

const start: Admission = { kind: 'start' };
const full: Admission = { kind: 'full' };

/** How a gate opens. */
export interface GateOptions {
  readonly now: number;
  readonly share: Share;
  /** Time over which the share opens; 0 opens it at once. */
  readonly rampMs: number;
  /** Whether the rest opens faster once the first calls were answered well. @default false */
  readonly isEager?: boolean;
  /** Whether refusals slow the job down. */
  readonly adaptive: boolean;
}

/**
 * The one way by which attempts of a job start in a worker: calls at once, calls a second, and units a second within the share,
 * times the brake and the ramp, which only ever make it less.
 */
export class Gate {
  readonly #brake = new Brake();
  readonly #paced: Gcra;
  readonly #units: Gcra;
  readonly #braked: Gcra;
  readonly #ramp: Ramp;
  /** Whether refusals slow the job down. */
  adaptive: boolean;
  #share: Share;

  constructor(options: GateOptions) {
    const { now, share, rampMs: ms, isEager = false, adaptive } = options;
    this.#ramp = new Ramp({ now, ms, isEager });
    this.adaptive = adaptive;
    this.#share = share;
    const burstMs = limits.paceBurstMs;
    this.#paced = new Gcra({ now, perSecond: share.perSecond, burstMs });
    this.#units = new Gcra({ now, perSecond: share.unitsPerSecond, burstMs: 0 });
    this.#braked = new Gcra({ now, perSecond: Number.POSITIVE_INFINITY, burstMs });
  }

  /** What a predecessor had started ahead of its time has to pass first. */
  owe(now: number, debt: { readonly callsMs: number; readonly unitsMs: number }): void {
    this.#paced.owe(now, debt.callsMs);
    this.#units.owe(now, debt.unitsMs);
  }

  get share(): Share {
    return this.#share;
  }

  set share(share: Share) {
    this.#share = share;
    this.#paced.perSecond = share.perSecond;
    this.#units.perSecond = share.unitsPerSecond;
  }

  /** Slots that the share, the ramp, and nothing else leave open. */
  slots(now: number): number {
    return this.#ramp.slots(now, this.#share.calls);
  }

  /** Asks for one start. Whoever starts says so by {@link started}. */
  next(now: number, running: number): Admission {
    if (running >= this.slots(now)) {
      const ms = this.#ramp.nextMs(now);
      return ms === undefined ? full : { kind: 'wait', ms };
    }
    const pace = this.adaptive ? this.#brake.perSecond(now) : Number.POSITIVE_INFINITY;
    this.#braked.perSecond = pace;
    this.#paced.perSecond = this.#share.perSecond * Math.max(this.#ramp.opened(now), 0.01);
    const pacedMs = Math.max(this.#paced.waitMs(now), this.#units.waitMs(now), this.#braked.waitMs(now));
    const ms = Math.max(pacedMs, this.adaptive ? this.#brake.holdMs(now) : 0);
    if (ms <= 0) return start;
    return ms === Number.POSITIVE_INFINITY ? full : { kind: 'wait', ms };
  }

  started(now: number, units: number): void {
    this.#paced.take(now);
    this.#braked.take(now);
    if (this.adaptive) this.#brake.started(now);
    if (units > 0) this.#units.take(now, units);
  }

  /** The call of an attempt that was started begins only now: the next one keeps its distance from it. */
  begun(now: number): void {
    const { perSecond } = this.#share;
    if (perSecond > 0) this.#paced.owe(now, 1_000 / perSecond);
  }

  /** An attempt ended; `difference` is the units it took beyond those it was thought to take. */
  settled(now: number, difference: number): void {
    if (difference !== 0) this.#units.correct(now, difference, limits.unitsCreditMs);
  }

  succeeded(now: number): void {
    this.#ramp.succeeded(now);
    if (this.adaptive) this.#brake.succeeded(now);
  }

  /** An attempt failed by what may pass, as a timeout or a closed connection: too many at once may be why. */
  failed(now: number): void {
    this.#ramp.failed(now);
  }

  /** The downstream refused an attempt for its rate. */
  refused(now: number, retryAfterMs: number | undefined): void {
    this.#ramp.failed(now);
    if (this.adaptive) this.#brake.refused(now, retryAfterMs);
  }

  /** Milliseconds that are left of a hold for which the downstream asked here, and of which others do not know. */
  untoldHoldMs(now: number): number {
    return this.adaptive ? this.#brake.untoldHoldMs(now) : 0;
  }

  /** The others know of the hold. */
  toldHold(): void {
    this.#brake.toldHold();
  }

  /** Another worker was asked for a rest. */
  hold(now: number, ms: number): void {
    this.#brake.hold(now, ms);
  }

  /** What is taken of this worker is so many times what it was. */
  scaleBrake(now: number, by: number): void {
    this.#brake.scale(now, by);
  }

  /** The worker whose part of the job is taken over had been brought to this pace. */
  inheritBrake(now: number, perSecond: number): void {
    this.#brake.inherit(now, perSecond);
  }

  /** The pace to which refusals have brought the job here, in starts a second; infinite when nothing brakes. */
  brakedTo(now: number): number {
    return this.#brake.perSecond(now);
  }

  /** The same where it slows the job down at this moment. */
  bindsAt(now: number): number | undefined {
    return this.#brake.bindsAt(now);
  }

  /** Milliseconds in which nothing starts, whatever ends meanwhile: the pace, or a hold of the downstream's, says so. */
  restMs(now: number): number {
    const { callsMs, unitsMs } = this.debt(now);
    return Math.max(callsMs, unitsMs);
  }

  /** What a successor has to wait for. */
  debt(now: number): { readonly callsMs: number; readonly unitsMs: number } {
    const holdMs = this.adaptive ? this.#brake.holdMs(now) : 0;
    return { callsMs: Math.max(this.#paced.debtMs(now), holdMs), unitsMs: this.#units.debtMs(now) };
  }
}
