import { addDigests, countRow, type Digest, emptyDigest } from '../format/digest.ts';
import type { KeptRows } from './kept-rows.ts';

/** What a chunk counts and has cost: what earlier workers said of it, and what is added here. */
export class ChunkAccount {
  digest: Digest;
  /** Since the last segment, in 1e-9 US dollars. */
  #spent = 0;

  constructor(said: Digest | undefined, kept: Pick<KeptRows, 'rows' | 'nanoUsd'> | undefined) {
    this.digest = (kept?.rows ?? []).reduce(
      (digest, row) => countRow(digest, row, row.status === 'cancelled' ? 0 : row.durationMs),
      said ?? emptyDigest,
    );
    if (kept !== undefined && kept.nanoUsd > 0) this.charge({ nanoUsd: kept.nanoUsd });
  }

  /** Nobody has counted or charged anything. */
  get isEmpty(): boolean {
    return this.digest === emptyDigest;
  }

  charge(cost: Partial<Digest>): void {
    this.digest = addDigests(this.digest, { ...emptyDigest, ...cost });
  }

  /** @returns what was charged for so many US dollars, in 1e-9 of one */
  spend(usd: number): number {
    const nanoUsd = Math.round(usd * 1e9);
    this.charge({ nanoUsd });
    this.#spent += nanoUsd;
    return nanoUsd;
  }

  /** Takes what was spent since this was last asked, in 1e-9 US dollars. */
  takeSpent(): number {
    const spent = this.#spent;
    this.#spent = 0;
    return spent;
  }
}
