import type { ChunkTable, Cut } from '../format/chunk.ts';
import { type ChunkPlace, resultChunk, resultKey, resultsPrefix } from '../format/paths.ts';
import type { ObjectStore } from '../ports.ts';
import { readCut, readTable } from './read.ts';

/** How much of a job is settled. */
export interface SettledCount {
  readonly items: number;
  readonly chunks: number;
  /** Absent while the input is being cut. */
  readonly of: Cut | undefined;
  /** Chunks that no look before this one has seen. */
  readonly fresh: readonly ChunkPlace[];
}

/** A part of which something is settled, and something may not be. */
interface OpenPart {
  readonly table: ChunkTable;
  readonly seen: Set<number>;
  /** Every chunk below this one is settled and is listed no more. */
  below: number;
}

/** Follows a running job by listing its results; what is known to be settled from the front on is not listed again. */
export class SettledChunks {
  readonly #store: ObjectStore;
  readonly #jobId: string;
  readonly #open = new Map<number, OpenPart>();
  #cut: Cut | undefined;
  /** Every part below this one is settled. */
  #part = 0;
  #items = 0;
  #chunks = 0;

  constructor(store: ObjectStore, jobId: string) {
    this.#store = store;
    this.#jobId = jobId;
  }

  /** Lists the open parts once, and counts. */
  async refresh(): Promise<SettledCount> {
    this.#cut ??= await readCut(this.#store, this.#jobId);
    const of = this.#cut;
    const fresh: ChunkPlace[] = [];
    // Parts are sent in order: behind one of which nothing is settled, nothing is.
    for (let part = this.#part; of !== undefined && part < of.parts.length; part++) {
      const found = await this.#look(part);
      fresh.push(...found);
      if (!this.#open.has(part)) break;
    }
    for (let open = this.#open.get(this.#part); open !== undefined; open = this.#open.get(this.#part)) {
      if (open.seen.size < open.table.chunks.length) break;
      this.#open.delete(this.#part);
      this.#part++;
    }
    return { items: this.#items, chunks: this.#chunks, of, fresh };
  }

  /** Chunks of a part that have settled since the last look. */
  async #look(part: number): Promise<readonly ChunkPlace[]> {
    const known = this.#open.get(part);
    const below = known?.below ?? 0;
    const keys = await this.#store.list(
      resultsPrefix(this.#jobId, part),
      below === 0 ? {} : { startAfter: resultKey(this.#jobId, { part, chunk: below - 1 }) },
    );
    if (keys.length === 0) return [];
    const open = known ?? (await this.#opened(part));
    const fresh = keys.map(resultChunk).filter((chunk) => !open.seen.has(chunk));
    for (const chunk of fresh) {
      open.seen.add(chunk);
      this.#items += open.table.chunks[chunk]?.count ?? 0;
      this.#chunks++;
    }
    while (open.seen.has(open.below)) open.below++;
    return fresh.map((chunk) => ({ part, chunk }));
  }

  async #opened(part: number): Promise<OpenPart> {
    const table = await readTable(this.#store, this.#jobId, part);
    if (table === undefined) throw new Error(`expected the chunk table of part ${part} of ${this.#jobId}, got none`);
    const open = { table, seen: new Set<number>(), below: 0 };
    this.#open.set(part, open);
    return open;
  }
}
