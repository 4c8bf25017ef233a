import { Bitmap } from '../format/bitmap.ts';
import type { Digest } from '../format/digest.ts';
import { leftToStop, type StopCounts, stopCounts } from '../format/left-to-stop.ts';
import type { Row } from '../format/outcome.ts';
import type { ChunkPlace } from '../format/paths.ts';
import type { TickRecord } from '../format/tick.ts';
import type { JobLimits } from '../task/job-limits.ts';

/** A worker that hears of no turn for this time goes on: ticks may be lost, and the job must not stand still for it. */
export const patienceMs = 10_000;

/** What a chunk adds to the counts at which its job stops. */
export class ChunkCounts implements StopCounts {
  readonly place: ChunkPlace;
  succeeded: number;
  failed: number;
  nanoUsd: number;
  /** Items without a row. */
  left: number;
  /** What is left of it is another worker's, who counts all of it. */
  isElsewhere = false;

  constructor(place: ChunkPlace, of: StopCounts & { readonly left: number }) {
    this.place = place;
    this.succeeded = of.succeeded;
    this.failed = of.failed;
    this.nanoUsd = of.nanoUsd;
    this.left = of.left;
  }

  settled(status: Row['status']): void {
    this.left--;
    if (status !== 'cancelled') this[status]++;
  }
}

/**
 * What one worker may add to the counts at which its job stops, until a turn has counted it: its part of what was left at the last turn.
 * So all workers together go beyond a stop only by what they have begun by then, however fast they are.
 */
export class StopShare {
  /** Its turns are being read. */
  isLooking = false;
  readonly #chunks = new Set<ChunkCounts>();
  #turn: TickRecord | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;

  /** The last turn that is known here. */
  get turn(): number | undefined {
    return this.#turn?.n;
  }

  /** A turn has counted chunks. */
  saw(turn: TickRecord): void {
    if (this.#turn !== undefined && turn.n <= this.#turn.n) return;
    this.#turn = turn;
    for (const chunk of this.#chunks)
      if (chunk.isElsewhere || hasCounted(turn, chunk.place)) this.#chunks.delete(chunk);
  }

  /** A chunk is begun, of which so many items are to be tried. */
  begun(
    place: ChunkPlace,
    before: Digest,
    { left, now }: { readonly left: number; readonly now: number },
  ): ChunkCounts {
    const chunk = new ChunkCounts(place, { ...before, left });
    this.#chunks.add(chunk);
    this.#begunAt = now;
    return chunk;
  }

  /** Whether what was begun here may come to `part` of what is left: then nothing more is begun, for now. */
  isUsedUp(limits: JobLimits, part: number, now: number): boolean {
    // Nothing of it is this worker's; each that is tried still may succeed.
    return part > 0 && this.#comesTo(limits, { part, now, more: (chunk) => chunk.left });
  }

  /** How many items may be begun here, at least one, until those that were may come to `part` of the successes that are left. */
  room(limits: JobLimits, part: number, now: number): number {
    const hasBegun = Number.isFinite(this.#begunAt);
    if (part <= 0 || (hasBegun && !this.#isHeeded(now))) return Number.POSITIVE_INFINITY;
    return Math.max(1, part * this.#left(limits).succeeded - this.#used((chunk) => chunk.left).succeeded);
  }

  /**
   * Whether what has settled here is `part` of what was left by itself. Then of the chunks in line none begins for now; those that are
   * begun come to their end, so that a turn counts them.
   */
  isReached(limits: JobLimits, part: number, now: number): boolean {
    return part > 0 && this.#comesTo(limits, { part, now, more: () => 0 });
  }

  #comesTo(
    limits: JobLimits,
    { part, now, more }: { readonly part: number; readonly now: number; readonly more: (chunk: ChunkCounts) => number },
  ): boolean {
    if (!this.#isHeeded(now)) return false;
    const left = this.#left(limits);
    const used = this.#used(more);
    return stopCounts.some((name) => used[name] >= part * left[name]);
  }

  /** Whether the job goes on, and a turn is waited for: not for too long; a clock that was set back does not say how long it was. */
  #isHeeded(now: number): boolean {
    return this.#turn?.end === undefined && now >= this.#begunAt && now < this.#begunAt + patienceMs;
  }

  #left(limits: JobLimits): StopCounts {
    const { totals = none, cut } = this.#turn ?? {};
    return leftToStop(limits, totals, cut?.done === true ? cut.items : undefined);
  }

  /** What was begun here and not counted by a turn, with `more` successes of each chunk. */
  #used(more: (chunk: ChunkCounts) => number): StopCounts {
    const used = { ...none };
    for (const chunk of this.#chunks) {
      if (chunk.isElsewhere) continue;
      used.succeeded += chunk.succeeded + more(chunk);
      used.failed += chunk.failed;
      used.nanoUsd += chunk.nanoUsd;
    }
    return used;
  }
}

const none: StopCounts = { succeeded: 0, failed: 0, nanoUsd: 0 };

function hasCounted({ settledParts, counted, cut }: TickRecord, { part, chunk }: ChunkPlace): boolean {
  return part < settledParts || Bitmap.of(cut.parts[part]?.chunks ?? 0, counted[part]).has(chunk);
}
