import * as z from 'zod';
import { recordFormat } from './record.ts';

/** `tokens/{hash}.json`: the job that a caller's client token made. */
export interface TokenRecord {
  readonly v: 1;
  readonly jobId: string;
}

export const tokenFormat = recordFormat<TokenRecord>('a token record', 1, () =>
  z.looseObject({ v: z.literal(1).default(1), jobId: z.string() }),
);
