import * as z from 'zod';
import { lazily } from '../task/lazily.ts';
import { type ControlReason, controlReasons } from './control.ts';
import type { Digest } from './digest.ts';
import { digestSchema } from './digest-text.ts';
import { recordFormat } from './record.ts';
import { type JobEnd, problemSchema } from './summary.ts';

/** How far the input has been cut into chunks. */
export interface CutProgress {
  /** Parts written so far. */
  readonly parts: ReadonlyArray<{ readonly first: number; readonly chunks: number }>;
  /** Bytes, lines, items, and chunks that those parts cover. */
  readonly offset: number;
  readonly lines: number;
  readonly items: number;
  readonly chunks: number;
  /** The end of the input was reached, and `cut.json` stands. */
  readonly done: boolean;
  /** Chunks that hold the canary's items; absent where there is none, or all items are in it. */
  readonly canaryChunks?: number;
}

/** Chunks as a range counted over all parts: from inclusive, to exclusive. */
export type ChunkRange = readonly [from: number, to: number];

/** `ticks/{n}.json`: what turn n saw and decided, written before its effects. */
export interface TickRecord {
  readonly v: 1;
  readonly n: number;
  /** Unique to the invocation that wrote the record. */
  readonly writer: string;
  /** Milliseconds since the epoch: when the turn was, and when the next one is due. */
  readonly at: number;
  readonly nextAt: number;
  readonly cut: CutProgress;
  /** Chunks sent by this turn for the first time. */
  readonly send: ChunkRange;
  /** Unsettled chunks below `send[0]` were sent again by this turn. */
  readonly resend: boolean;
  /** How often chunks have been sent again in this job. */
  readonly resends: number;
  /** What the counted chunks add up to. */
  readonly totals: Digest;
  /** For each open part its settled chunks: part number to a bitmap in base64. */
  readonly counted: Readonly<Record<string, string>>;
  /** Every part below this one is settled. */
  readonly settledParts: number;
  /** Chunks that have a result, in all. */
  readonly settledChunks: number;
  /** The job is limited: whoever has a seat runs its chunks, and no messages are sent for them. @default false */
  readonly limited?: boolean;
  /** Seats for which this turn rings, and when each was last rung for, in milliseconds since the epoch. */
  readonly bells?: readonly number[];
  readonly rung?: Readonly<Record<string, number>>;
  /** Seats that a limited job has from this turn on, since when, and since when none of them was much loaded. */
  readonly seatCount?: { readonly seats: number; readonly changedAt: number; readonly calmSince?: number };
  /** Those of them that have nothing left to do. */
  readonly idle?: readonly number[];
  /** Work messages sent by turns so far. */
  readonly messages: number;
  /** Since when nothing has settled and no segment was stored; absent while something moves. */
  readonly idleSince?: number;
  /** Segments of the open parts when they were last listed: a further one is a sign of a living worker. */
  readonly segments?: number;
  /** How often chunks were sent again since something settled. */
  readonly fruitlessResends?: number;
  /** Turns in a row that ended without a further part of the input cut. */
  readonly turnsWithoutPart?: number;
  /** When the job's cancellation was first seen: nothing is sent any more. */
  readonly cancelledAt?: number;
  /** This turn writes `cancelled` for what workers left of the chunks that were sent. */
  readonly settleRest: boolean;
  /** How the job ended with this turn; absent while it goes on. */
  readonly end?: JobEnd;
  /** Why it ended so, where it stopped by itself. */
  readonly reason?: ControlReason;
  readonly problem?: { readonly code: string; readonly message: string };
}

const whole = lazily(() => z.int().min(0));

export const tickFormat = recordFormat<TickRecord>('a record of a turn', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    n: whole(),
    writer: z.string().default(''),
    at: z.number(),
    nextAt: z.number(),
    cut: z.looseObject({
      parts: z.array(z.looseObject({ first: whole(), chunks: whole() })),
      offset: whole(),
      lines: whole(),
      items: whole(),
      chunks: whole(),
      done: z.boolean(),
      canaryChunks: whole().exactOptional(),
    }),
    send: z.tuple([whole(), whole()]),
    resend: z.boolean().default(false),
    resends: whole().default(0),
    totals: digestSchema(),
    counted: z.record(z.string(), z.string()).default({}),
    settledParts: whole().default(0),
    settledChunks: whole().default(0),
    limited: z.boolean().exactOptional(),
    bells: z.array(whole()).exactOptional(),
    rung: z.record(z.string(), z.number()).exactOptional(),
    seatCount: z
      .looseObject({ seats: whole(), changedAt: z.number(), calmSince: z.number().exactOptional() })
      .exactOptional(),
    idle: z.array(whole()).exactOptional(),
    messages: whole().default(0),
    idleSince: z.number().exactOptional(),
    segments: whole().exactOptional(),
    fruitlessResends: whole().exactOptional(),
    turnsWithoutPart: whole().exactOptional(),
    cancelledAt: z.number().exactOptional(),
    settleRest: z.boolean().default(false),
    end: z.enum(['done', 'cancelled', 'refused']).exactOptional(),
    reason: z.enum(controlReasons).exactOptional(),
    problem: problemSchema().exactOptional(),
  }),
);

/** `stalled.json`: the turn whose tick died for good. */
export interface StalledRecord {
  readonly v: 1;
  readonly n: number;
  /** ISO 8601. */
  readonly at: string;
}

export const stalledFormat = recordFormat<StalledRecord>('a record of a stalled job', 1, () =>
  z.looseObject({ v: z.literal(1).default(1), n: whole(), at: z.string().default('') }),
);
