import type { Digest } from './digest.ts';

/** Why an item failed. */
export interface ItemError {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly retryable: boolean;
}

/** One item's one recorded outcome: a line of a result object. Times are milliseconds of the last attempt. */
export type Row =
  | {
      readonly index: number;
      readonly status: 'succeeded';
      readonly value: unknown;
      readonly attempts: number;
      readonly durationMs: number;
    }
  | {
      readonly index: number;
      readonly status: 'failed';
      readonly error: ItemError;
      readonly attempts: number;
      readonly durationMs: number;
    }
  | { readonly index: number; readonly status: 'cancelled'; readonly attempts: number };

/** What a result says beside its own rows. */
export interface ResultHead {
  readonly writer: string;
  /** Names of the segments that hold the chunk's earlier rows. */
  readonly segments: readonly string[];
  readonly digest: Digest;
}
