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
