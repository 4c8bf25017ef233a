import type { Fault, FaultHook, ModelCall } from '../cloud/model/faults.ts';
import type { Clock, Random } from '../ports.ts';
import type { History } from './history.ts';

/**
 * What can go wrong. Of a process: `kill` (at a random moment), `kill-at-call` (at an await of a port, before or after the call took effect),
 * `freeze` (it stands still and wakes), `clock-jump` (its wall clock is set), `deadline` (its invocation is short). Of one call of a service:
 * `refused`, `lost` (it happened, its answer is an error), `repeated` (the client asked twice: 412 after one's own write, a message sent
 * twice), `hang` (an error after a minute), `slow`, `partly` (some entries of a batch). Of a service for a time: `outage`. Of messages:
 * `duplicate`, `delayed`, `lost-send`, `lost-tick`, `purge`.
 */
export const faultKinds = [
  'kill',
  'kill-at-call',
  'freeze',
  'clock-jump',
  'deadline',
  's3-refused',
  's3-lost',
  's3-repeated',
  's3-hang',
  's3-slow',
  's3-outage',
  'sqs-refused',
  'sqs-lost',
  'sqs-repeated',
  'sqs-hang',
  'sqs-slow',
  'sqs-partly',
  'sqs-outage',
  'duplicate',
  'delayed',
  'lost-send',
  'lost-tick',
  'purge',
  'lambda-refused',
  'lambda-lost',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Which faults a run meets. */
export interface FaultPlan {
  /** Odds by kind, from 0 to 1: of a process's fault for each process, of a call's for each call, of an outage or purge for each minute. */
  readonly odds: Readonly<Partial<Record<FaultKind, number>>>;
  /** Processes and calls meet none before this time of the run, in milliseconds. @default 0 */
  readonly fromMs?: number;
  /** Faults begin within this time of the run's start, in milliseconds. @default 60_000 */
  readonly forMs?: number;
  /** The longest outage and the longest standstill, in milliseconds. @default 120_000 */
  readonly longestMs?: number;
}

/** What becomes of a process: times are milliseconds after its start. */
export interface Fate {
  readonly killAfterMs?: number;
  readonly freeze?: { readonly afterMs: number; readonly forMs: number };
  readonly jump?: { readonly afterMs: number; readonly byMs: number };
  /** The invocation's length. */
  readonly seconds?: number;
}

/** What a fault means for the process that called. */
export type CallFate = { readonly fault: Fault | undefined; readonly kill?: 'before' | 'after' };

/** The SDK gives a request a minute. */
const hangMs = 60_000;

/** Injects faults by a plan and a seed, and writes each down. */
export class Nemesis {
  readonly #plan: FaultPlan;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #history: History;
  readonly #from: number;
  readonly #until: number;
  readonly #outages: Array<{ readonly service: 's3' | 'sqs'; readonly from: number; readonly to: number }> = [];
  #noted = new Set<object>();

  constructor(plan: FaultPlan, parts: { readonly random: Random; readonly clock: Clock; readonly history: History }) {
    this.#plan = plan;
    this.#random = parts.random;
    this.#clock = parts.clock;
    this.#history = parts.history;
    this.#from = parts.clock.now() + (plan.fromMs ?? 0);
    this.#until = parts.clock.now() + this.#forMs;
    for (const service of ['s3', 'sqs'] as const) {
      if (!this.#hits(`${service}-outage`)) continue;
      const from = parts.clock.now() + this.#upTo(Math.min(this.#forMs, 15_000));
      this.#outages.push({ service, from, to: from + this.#upTo(this.#longestMs) });
    }
  }

  /** When a purge of a queue is due, after the run's start in milliseconds; undefined where none is. */
  purgeAfterMs(): number | undefined {
    return this.#hits('purge') ? this.#upTo(Math.min(this.#forMs, 20_000)) : undefined;
  }

  /** Decides what befalls a new process. */
  fateOfProcess(): Fate {
    if (this.#isOver) return {};
    return {
      ...(this.#hits('kill') && { killAfterMs: this.#upTo(10_000) }),
      ...(this.#hits('freeze') && {
        freeze: { afterMs: this.#upTo(8_000), forMs: 1_000 + this.#upTo(this.#longestMs) },
      }),
      ...(this.#hits('clock-jump') && { jump: { afterMs: this.#upTo(8_000), byMs: this.#jump() } }),
      ...(this.#hits('deadline') && { seconds: 20 + Math.floor(this.#upTo(30)) }),
    };
  }

  /** Decides what befalls one call. */
  fateOfCall(call: ModelCall, life: number): CallFate {
    const outage = this.#outages.find(
      ({ service, from, to }) => service === call.service && from <= this.#clock.now() && this.#clock.now() < to,
    );
    if (outage !== undefined) {
      if (!this.#noted.has(outage)) {
        this.#noted.add(outage);
        // The outage ends later: bounds count from there.
        this.note(`${call.service}-outage`, life, call.target, outage.to);
      }
      this.note('outage-call', life, call.target);
      return { fault: { kind: 'refused', error: refusal(call, 'an outage'), afterMs: this.#upTo(3_000) } };
    }
    if (this.#isOver) return { fault: undefined };
    if (this.#hits('kill-at-call')) {
      this.note('kill-at-call', life, call.target);
      return { fault: undefined, kill: this.#random() < 0.5 ? 'before' : 'after' };
    }
    const fault = this.#faultOf(call);
    if (fault === undefined) return { fault };
    this.note(fault.name, life, call.target);
    return { fault: fault.fault };
  }

  /** Whether a message that was just received becomes visible again although its receiver lives. */
  duplicates(): number | undefined {
    return !this.#isOver && this.#hits('duplicate') ? this.#upTo(20_000) : undefined;
  }

  /** Writes a fault down. */
  note(kind: string, life: number, target?: string, at = this.#clock.now()): void {
    this.#history.faults.push({ at, kind, life, ...(target === undefined ? {} : { target }) });
    this.#history.lives[life]?.faults.push({ at, kind });
  }

  #faultOf(call: ModelCall): { readonly name: string; readonly fault: Fault } | undefined {
    const { service, operation, target } = call;
    const error = refusal(call, 'a fault');
    const candidates: Array<readonly [FaultKind, () => Fault]> = [
      [`${service}-refused` as FaultKind, () => ({ kind: 'refused', error, afterMs: this.#upTo(2_000) })],
      [`${service}-lost` as FaultKind, () => ({ kind: 'lost', error, afterMs: this.#upTo(2_000) })],
    ];
    if (service !== 'lambda') {
      candidates.push(
        [`${service}-repeated`, () => ({ kind: 'repeated' })],
        [`${service}-hang`, () => ({ kind: this.#random() < 0.5 ? 'refused' : 'lost', error, afterMs: hangMs })],
        [`${service}-slow`, () => ({ kind: 'late', delayMs: this.#upTo(5_000) })],
      );
    }
    if (operation === 'send') {
      candidates.push(
        ['sqs-partly', () => ({ kind: 'partly', error })],
        ['delayed', () => ({ kind: 'late', delayMs: this.#upTo(30_000) })],
        [target === 'ticks' ? 'lost-tick' : 'lost-send', () => ({ kind: 'dropped' })],
      );
    }
    for (const [name, make] of candidates) if (this.#hits(name)) return { name, fault: make() };
    return undefined;
  }

  get #isOver(): boolean {
    const now = this.#clock.now();
    return now < this.#from || now >= this.#until;
  }

  get #forMs(): number {
    return this.#plan.forMs ?? 60_000;
  }

  get #longestMs(): number {
    return this.#plan.longestMs ?? 120_000;
  }

  #hits(kind: FaultKind): boolean {
    const odds = this.#plan.odds[kind] ?? 0;
    return odds > 0 && this.#random() < odds;
  }

  #upTo(most: number): number {
    return this.#random() * most;
  }

  /** From a second to hours, either way. */
  #jump(): number {
    return Math.round((this.#random() < 0.5 ? -1 : 1) * 1_000 * 10 ** (4 * this.#random()));
  }
}

function refusal(call: ModelCall, why: string): Error {
  return new Error(`${call.service} ${call.operation} of ${call.target}: no answer, by ${why} of the simulation`);
}

/** A hook that asks the nemesis for a process, and kills it where its fate says so. */
export function hookFor(
  nemesis: Nemesis,
  life: { readonly id: number; readonly kill: (when: 'before' | 'after') => void },
): FaultHook {
  return (call) => {
    const { fault, kill } = nemesis.fateOfCall(call, life.id);
    if (kill !== undefined) life.kill(kill);
    return kill === 'before' ? { kind: 'hangs', applied: false } : fault;
  };
}
