import type { Control } from '../format/control.ts';
import type { ChunkPlace } from '../format/paths.ts';
import type { SeatNote } from '../format/seat.ts';

/** One attempt of an item, from its start to its end. */
export interface CallEvent {
  readonly jobId: string;
  readonly index: number;
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
  /** When each item's row first stood in a segment or a result. */
  readonly rowAt = new Map<number, number>();
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

  countFaults(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }
}

/** A chunk's name in the history. */
export const placeName = ({ part, chunk }: ChunkPlace): string => `${part}/${chunk}`;
