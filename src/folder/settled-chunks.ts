import type { ChunkTable, Cut } from '../format/chunk.ts';
import {
  type ChunkPlace,
  folderName,
  type JobRef,
  partSegmentsPrefix,
  resultChunk,
  resultKey,
  resultsPrefix,
  segmentInPart,
  segmentsPrefix,
} from '../format/paths.ts';
import type { ObjectStore } from '../ports.ts';
import { readCut, readTable } from './read.ts';

/** How much of a job is settled. */
export interface SettledCount {
  /** Items whose rows stand: of settled chunks, and those that unsettled ones have stored early. */
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
  /** Rows that stand in segments of the part's chunks, as far as they were looked at. */
  stored: ReadonlyMap<number, number>;
  /** Every chunk below this one is settled and is listed no more. */
  below: number;
}

/** Follows a running job by listing its results; what is known to be settled from the front on is not listed again. */
export class SettledChunks {
  readonly #store: ObjectStore;
  readonly #job: JobRef;
  readonly #open = new Map<number, OpenPart>();
  #cut: Cut | undefined;
  /** Every part below this one is settled. */
  #part = 0;
  #items = 0;
  #chunks = 0;

  constructor(store: ObjectStore, job: JobRef) {
    this.#store = store;
    this.#job = job;
  }

  /** Lists the open parts once, and counts. */
  async refresh(): Promise<SettledCount> {
    this.#cut ??= await readCut(this.#store, this.#job);
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
    // A job whose chunks settle is seen to move; only where none does the rows that are stored early are looked for.
    if (of !== undefined && fresh.length === 0) await this.#lookAtSegments(of);
    return { items: this.#items + this.#storedItems(), chunks: this.#chunks, of, fresh };
  }

  /** Looks once as deeply as can be: also for rows that unsettled chunks have stored early. */
  async count(): Promise<SettledCount> {
    await this.refresh();
    return this.refresh();
  }

  /** Chunks of a part that have settled since the last look. */
  async #look(part: number): Promise<readonly ChunkPlace[]> {
    const known = this.#open.get(part);
    const below = known?.below ?? 0;
    const keys = await this.#store.list(
      resultsPrefix(this.#job, part),
      below === 0 ? {} : { startAfter: resultKey(this.#job, { part, chunk: below - 1 }) },
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

  /** Counts the rows of the first open part's segments: later parts are sent when it is nearly settled. */
  async #lookAtSegments(of: Cut): Promise<void> {
    const part = this.#part;
    if (part >= of.parts.length) return;
    const below = this.#open.get(part)?.below ?? 0;
    const keys = await this.#store.list(partSegmentsPrefix(this.#job, part), {
      startAfter: segmentsPrefix(this.#job, { part, chunk: below }),
    });
    if (keys.length === 0) return;
    const open = this.#open.get(part) ?? (await this.#opened(part));
    const stored = new Map<number, number>();
    for (const { chunk, rows } of keys.map(segmentInPart)) {
      // A dead worker's rows may stand beside those of the next one.
      const most = open.table.chunks[chunk]?.count ?? 0;
      stored.set(chunk, Math.min(most, (stored.get(chunk) ?? 0) + rows));
    }
    open.stored = stored;
  }

  #storedItems(): number {
    let items = 0;
    for (const { stored, seen } of this.#open.values()) {
      for (const [chunk, rows] of stored) if (!seen.has(chunk)) items += rows;
    }
    return items;
  }

  async #opened(part: number): Promise<OpenPart> {
    const table = await readTable(this.#store, this.#job, part);
    if (table === undefined)
      throw new Error(`expected the chunk table of part ${part} of ${folderName(this.#job)}, got none`);
    const open = { table, seen: new Set<number>(), stored: new Map<number, number>(), below: 0 };
    this.#open.set(part, open);
    return open;
  }
}
