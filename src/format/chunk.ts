import * as z from 'zod';
import { lazily } from '../task/lazily.ts';
import { recordFormat } from './record.ts';

/** One chunk: `count` items from index `first`, in the bytes `start` to `end` (inclusive) of the input. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly count: number;
}

/** `chunks/{part}.json`: the chunks of one part, a pure function of the input's bytes and the manifest. */
export interface ChunkTable {
  readonly v: 1;
  readonly chunks: readonly Chunk[];
}

/** `cut.json`: the whole input is valid and counted. */
export interface Cut {
  readonly v: 1;
  readonly items: number;
  readonly chunks: number;
  /** For each part: its first index and how many chunks it has. */
  readonly parts: ReadonlyArray<{ readonly first: number; readonly chunks: number }>;
}

const count = lazily(() => z.int().min(0));
const version = lazily(() => z.literal(1).default(1));

export const chunkTableFormat = recordFormat<ChunkTable>('a chunk table', 1, () =>
  z.looseObject({
    v: version(),
    chunks: z.array(z.looseObject({ start: count(), end: z.int(), first: count(), count: count() })),
  }),
);

export const cutFormat = recordFormat<Cut>('a cut', 1, () =>
  z.looseObject({
    v: version(),
    items: count(),
    chunks: count(),
    parts: z.array(z.looseObject({ first: count(), chunks: count() })),
  }),
);
