import * as z from 'zod';
import { recordFormat } from './record.ts';

/** What a worker says of a job without limits that refusals slow down in it; those of a limited job stand in the notes of its seats. */
export interface BrakeNote {
  readonly v: 1;
  /** Starts a second; absent once nothing slows it down any more. */
  readonly perSecond?: number;
  /** For how long this holds, in milliseconds from its write. */
  readonly forMs: number;
}

export const brakeFormat = recordFormat<BrakeNote>('a brake', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    perSecond: z.number().min(0).exactOptional(),
    forMs: z.number().min(0).default(0),
  }),
);
