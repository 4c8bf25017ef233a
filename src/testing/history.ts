import type { Control } from '../format/control.ts';
import type { ChunkPlace, JobFolder } from '../format/paths.ts';
import type { SeatNote } from '../format/seat.ts';

/** One attempt of an item, from its start to its end. */
export interface CallEvent {
  readonly jobId: string;
  /** The item's place among the job's own, in whatever pass. */
  readonly index: number;
  /** The pass that made it; 0 is the job itself. */
  readonly pass: number;
  readonly idempotencyKey: string;
  readonly attempt: number;
  /** The process that made it. */
  readonly life: number;
  readonly startedAt: number;
  /** Absent while it runs, and for good when its process died. */
  endedAt?: number;
  end?: 'returned' | 'threw' | 'ended its process';
}

/** A process of a function: one invocation, and what befell it. */
export interface LifeEvent {
  readonly id: number;
  readonly role: 'client' | 'fan-out' | 'worker' | 'tick' | 'dead-letter';
  readonly startedAt: number;
  endedAt?: number;
  /** Killed by the nemesis or at its deadline, with what it had in hand. */
  killedAt?: number;
  /** Killed since it had not ended by its deadline. */
  ranOut?: boolean;
  /** Stood still: pairs of milliseconds since the epoch. */
  readonly frozen: Array<{ readonly from: number; readonly to: number }>;
  /** Services failed it, or its clock jumped. */
  readonly faults: Array<{ readonly at: number; readonly kind: string }>;
  /** When it received messages of chunks, by `part/chunk`. */
  readonly chunks: Map<string, number[]>;
}

/** A fault that was injected. */
export interface FaultEvent {
  readonly at: number;
  readonly kind: string;
  readonly life?: number;
  readonly target?: string;
}

/** Everything that a run did, in order; the checker reads it afterwards, and new invariants need no new recording. */
export class History {
  readonly calls: CallEvent[] = [];
  readonly lives: LifeEvent[] = [];
  readonly faults: FaultEvent[] = [];
  /** When each chunk's result stood, by `part/chunk`. */
  readonly stoodAt = new Map<string, number>();
  /** When each item's row first stood in a segment or a result of the job itself. */
  readonly rowAt = new Map<number, number>();
  /** The same of each pass, under the indexes that items have in it. */
  readonly rowAtInPass = new Map<number, Map<number, number>>([[0, this.rowAt]]);
  /** Passes that began, and when. */
  readonly passes: Array<{ readonly at: number; readonly pass: number; readonly sameKey: boolean }> = [];
  /**
   * Work messages that were deleted while nothing of them was stored or handed over. A worker that hands over stores a segment of
   * the next generation and then sends: in between, `handingOver` names it.
   */
  readonly unproven: Array<{
    readonly at: number;
    readonly place: string;
    readonly gen: number;
    readonly handingOver?: string;
  }> = [];
  /** What somebody wanted of the job, and when it stood. */
  readonly controls: Array<{ readonly at: number; readonly control: Control }> = [];
  /** Notes of seats, and when each stood. */
  readonly seats: Array<{ readonly at: number; readonly note: SeatNote }> = [];
  /** Looks of processes at what somebody wants: they count from their begin. Undefined is a job that nobody has steered. */
  readonly looks: Array<{
    readonly life: number;
    readonly beganAt: number;
    readonly seenAt: number;
    readonly control: Control | undefined;
  }> = [];
  /** When bells were to be heard that were rung for seats, also those that were lost on their way. */
  readonly bells: Array<{ readonly at: number; readonly seat: number }> = [];
  /** Work messages that were sent, as `part/chunk/generation`. */
  readonly sent = new Set<string>();
  /** Chunks whose messages became dead letters, with the receives of each. */
  readonly deadLetters: Array<{ readonly at: number; readonly kind: string; readonly place: string }> = [];
  /** Lines that functions logged. */
  readonly log: Array<{
    readonly at: number;
    readonly level: string;
    readonly message: string;
    readonly fields: unknown;
  }> = [];

  /** When the last fault was injected or ended; 0 before the first. */
  get lastFaultAt(): number {
    return this.faults.reduce((last, { at }) => Math.max(last, at), 0);
  }

  /** The pass for which a process makes a call with this key: one with the job's own keys is known by its chunks. */
  passOf(idempotencyKey: string, { chunks }: LifeEvent): number {
    const [, , named] = idempotencyKey.split('/');
    const isHeld = (pass: number): boolean => chunks.keys().some((place) => place.startsWith(passName(pass)));
    return Number(named ?? this.passes.findLast(({ pass, sameKey }) => sameKey && isHeld(pass))?.pass ?? 0);
  }

  /** The same as one pass alone met it: its calls and rows, under the indexes that items have in it. */
  ofPass(pass: number, indexes: readonly number[]): History {
    const places = new Map(indexes.map((index, n) => [index, n]));
    const calls = this.calls.filter((call) => call.pass === pass && places.has(call.index));
    const rowAt = this.rowAtInPass.get(pass) ?? new Map<number, number>();
    const own = { calls: calls.map((call) => ({ ...call, index: places.get(call.index) ?? -1 })), rowAt };
    return Object.assign(new History(), this, own);
  }

  countFaults(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }
}

/** A chunk's name in the history: one of a pass says which. */
export const placeName = ({ part, chunk, pass = 0 }: ChunkPlace & Partial<Pick<JobFolder, 'pass'>>): string =>
  `${passName(pass)}${part}/${chunk}`;

/** How names of a pass's chunks begin. */
export const passName = (pass: number): string => (pass === 0 ? '' : `pass ${pass}: `);
