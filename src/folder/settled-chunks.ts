import type { Cut } from '../format/chunk.ts';
import type { ObjectStore } from '../ports.ts';
import { readCut, readTable, settledInPart } from './read.ts';

/** How much of a job is settled. */
export interface SettledCount {
  readonly items: number;
  readonly chunks: number;
  /** Absent while the input is being cut. */
  readonly of: Cut | undefined;
}

/** Follows a running job by listing its results; parts that are settled as a whole are not listed again. */
export class SettledChunks {
  readonly #store: ObjectStore;
  readonly #jobId: string;
  #cut: Cut | undefined;
  #part = 0;
  #before = { items: 0, chunks: 0 };

  constructor(store: ObjectStore, jobId: string) {
    this.#store = store;
    this.#jobId = jobId;
  }

  /** Lists the open parts once, and counts. */
  async refresh(): Promise<SettledCount> {
    this.#cut ??= await readCut(this.#store, this.#jobId);
    const cut = this.#cut;
    if (cut === undefined) return { items: 0, chunks: 0, of: undefined };
    let { items, chunks } = this.#before;
    for (let part = this.#part; part < cut.parts.length; part++) {
      const settled = await settledInPart(this.#store, this.#jobId, part);
      if (settled.length === 0) break;
      const table = await readTable(this.#store, this.#jobId, part);
      for (const chunk of settled) items += table?.chunks[chunk]?.count ?? 0;
      chunks += settled.length;
      if (part === this.#part && settled.length === table?.chunks.length) {
        this.#part++;
        this.#before = { items, chunks };
      }
    }
    return { items, chunks, of: cut };
  }
}
