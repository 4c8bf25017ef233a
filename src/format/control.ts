import * as z from 'zod';
import { storedLimitsSchema } from '../task/job-limits.ts';
import { lazily } from '../task/lazily.ts';
import { recordFormat } from './record.ts';
import type { LimitTable } from './share.ts';

/** Why a job stands as it does. */
export const controlReasons = ['user', 'breaker', 'budget', 'canary', 'tolerated', 'succeeded'] as const;
export type ControlReason = (typeof controlReasons)[number];

/** What somebody wants of a running job: `control.json`, replaced under If-Match. Absent until somebody wants something. */
export interface Control {
  readonly v: 2;
  readonly revision: number;
  readonly state: 'running' | 'paused' | 'cancelled';
  readonly reason: ControlReason;
  /** ISO 8601, for people: nothing is decided by it. */
  readonly at: string;
  readonly by: string;
  readonly table: LimitTable;
  /** Tables that workers may still act on, newest first; `agedMs` is how long ago each was replaced, when the next one was. */
  readonly before: ReadonlyArray<LimitTable & { readonly agedMs: number }>;
  /** Canary items that went well enough; the job has gone on behind them. */
  readonly passed: boolean;
  /** Grows when unsettled chunks are to be given out anew: messages of an earlier one are void. */
  readonly generation: number;
  /** Messages were sent in the place of others, which may come all the same: whoever takes a chunk looks for rows of it. @default false */
  readonly twins?: boolean;
  /** The downstream asked for a rest: whoever sees this revision starts nothing for so long. */
  readonly hold?: { readonly ms: number; readonly revision: number };
  /** Where refusals slow the job down: starts a second of each seat when this revision changed which seats are at work. */
  readonly brake?: { readonly perSecond: number; readonly revision: number };
}

const table = lazily(() =>
  z.looseObject({
    limits: storedLimitsSchema().default({}),
    seats: z.int().min(1).default(1),
    idle: z.array(z.int().min(0)).exactOptional(),
  }),
);

const schema = (): z.ZodType<Control> =>
  z.looseObject({
    v: z
      .int()
      .default(1)
      .transform(() => 2 as const),
    revision: z.int().min(0).default(1),
    state: z.enum(['running', 'paused', 'cancelled']),
    reason: z.enum(controlReasons).default('user'),
    at: z.string().default(''),
    by: z.string().default(''),
    table: table().default({ limits: {}, seats: 1 }),
    before: z.array(table().extend({ agedMs: z.number().min(0).default(0) })).default([]),
    passed: z.boolean().default(false),
    generation: z.int().min(0).default(0),
    twins: z.boolean().exactOptional(),
    hold: z.looseObject({ ms: z.number().min(0), revision: z.int().min(0) }).exactOptional(),
    brake: z.looseObject({ perSecond: z.number().min(0), revision: z.int().min(0) }).exactOptional(),
  });

/** Version 1 knew only `running` and `cancelled`. */
export const controlVersion = 2;

export const controlFormat = recordFormat<Control>('a control', controlVersion, schema);

/** What a job starts with, before anybody has wanted anything. */
export const firstControl = (table: LimitTable): Control => ({
  v: controlVersion,
  revision: 0,
  state: 'running',
  reason: 'user',
  at: '',
  by: '',
  table,
  before: [],
  passed: false,
  generation: 0,
});
