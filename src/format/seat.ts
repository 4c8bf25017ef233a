import * as z from 'zod';
import { lazily } from '../task/lazily.ts';
import { type WorkMessage, workSchema } from './message.ts';
import { recordFormat } from './record.ts';

/**
 * The right to a share of a job's limits: `seats/{0003}.json`, taken and renewed under If-Match. Whoever holds it may start calls for
 * `leaseMs` from the begin of the write that took or renewed it; nobody else may within that time. It is the hand-over note as well.
 */
export interface SeatNote {
  readonly v: 1;
  readonly seat: number;
  /** Grows with each holder. */
  readonly epoch: number;
  /** The invocation that holds the seat, or held it last. */
  readonly writer: string;
  /** Grows with each write: an ETag is a hash of the bytes, so a renewal that changed nothing would look like what it renewed. */
  readonly writes: number;
  readonly phase: 'held' | 'released';
  readonly leaseMs: number;
  /** Chunks that the holder has begun: written before their first call, so that whoever comes after a crash knows what ran. */
  readonly open: readonly WorkMessage[];
  /** Chunks that go on with the next holder, or when their time has come. */
  readonly hand: readonly WorkMessage[];
  /** What there is to do for the seat was done, of the chunks below `to`, at a revision of the control. */
  readonly done?: { readonly revision: number; readonly to: number };
  /** How far the holder's starts were ahead of their time, in milliseconds from the write, which was at `at` by the holder's clock. */
  readonly debt: SeatDebt;
  /** Calls of an earlier holder that are not over: they are part of the share. */
  readonly drain?: SeatDrain;
  /** What the holder says of itself, for people. */
  readonly status: SeatStatus;
}

/** What a holder that went before its calls had ended has under way. */
export interface SeatDrain {
  /** Its calls and its begun chunks stand in the note of this seat from then on: of a number beyond those of the table, so that it may start nothing. */
  readonly seat: number;
  readonly running: number;
  /** Milliseconds from the write of the note after which none of them can be under way. */
  readonly ms: number;
}

/** What whoever holds a seat next has to wait for before its first start. */
export interface SeatDebt {
  readonly callsMs: number;
  readonly unitsMs: number;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

/** How old a note is at least. S3's clock tells it to the second; which part of a second it is, the machines' clocks tell. */
export function leastAge({ at }: SeatDebt, { ageMs, now }: { readonly ageMs: number; readonly now: number }): number {
  const least = Math.max(0, ageMs - 1_000);
  return at === undefined ? least : Math.min(ageMs + 1_000, Math.max(least, now - at));
}

/** What is left of a debt. */
export function debtLeft(debt: SeatDebt, seen: { readonly ageMs: number; readonly now: number }) {
  const { callsMs, unitsMs } = debt;
  const passed = leastAge(debt, seen);
  return { callsMs: Math.max(0, callsMs - passed), unitsMs: Math.max(0, unitsMs - passed) };
}

/** How a seat is used at the moment of a write. */
export interface SeatStatus {
  readonly running: number;
  /** All that it has to do was started. */
  readonly isOver?: boolean;
  /** Starts a second to which refusals have brought it; absent when nothing brakes. */
  readonly brakedTo?: number;
  /** Measured over the last seconds; absent before. */
  readonly load?: SeatLoad;
}

/** How much of a job one seat carries. */
export interface SeatLoad {
  /** Starts and units a second. */
  readonly perSecond: number;
  readonly unitsPerSecond: number;
  /** Parts of its worker's slots and of its loop's time that are in use, 0 to 1, whoever uses them. */
  readonly slots: number;
  readonly loop: number;
  /** Its starts wait for the worker's slots or memory, and not for their share. */
  readonly heldUp: boolean;
}

const amount = lazily(() => z.number().min(0).default(0));
const chunks = lazily(() => z.array(workSchema()).default([]));
const load = lazily(() =>
  z.looseObject({
    perSecond: amount(),
    unitsPerSecond: amount(),
    slots: amount(),
    loop: amount(),
    heldUp: z.boolean().default(false),
  }),
);

export const seatFormat = recordFormat<SeatNote>('a seat', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    seat: z.int().min(0),
    epoch: z.int().min(0).default(0),
    writer: z.string().default(''),
    writes: z.int().min(0).default(0),
    phase: z.enum(['held', 'released']),
    leaseMs: z.number().min(0).default(30_000),
    open: chunks(),
    hand: chunks(),
    done: z.looseObject({ revision: z.int().min(0), to: z.int().min(0) }).exactOptional(),
    debt: z
      .looseObject({ callsMs: amount(), unitsMs: amount(), at: z.number().exactOptional() })
      .default({ callsMs: 0, unitsMs: 0 }),
    drain: z.looseObject({ seat: z.int().min(0), running: amount(), ms: amount() }).exactOptional(),
    status: z
      .looseObject({
        running: amount(),
        isOver: z.boolean().exactOptional(),
        brakedTo: amount().unwrap().exactOptional(),
        load: load().exactOptional(),
      })
      .default({ running: 0 }),
  }),
);
