import type { WorkMessage } from '../format/message.ts';
import type { SeatNote } from '../format/seat.ts';
import { adoptHands } from './adopt-hands.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldChunks } from './held-chunks.ts';
import type { RunningJob } from './running-job.ts';
import { SeatScan } from './seat-scan.ts';
import type { SeatWriter } from './seat-writer.ts';

/** So many holders of a seat may die with a chunk: as often as its message would come back before its items fail. */
const mostDeaths = 20;
/** Chunks that are begun by one write of the note. */
const chunksAtOnce = 10;

/** Picks the chunks that a seat's holder begins next: first those in hand, then the next ones of the seat. */
export class ChunkPicker {
  readonly #deps: WorkerDeps;
  readonly #job: RunningJob;
  readonly #chunks: HeldChunks;
  readonly #writer: SeatWriter;
  #scan: SeatScan | undefined;
  /** Those of the last pick that were found by the scan: no note names them before they are begun. */
  #found: readonly WorkMessage[] = [];
  /** The chunk up to which nothing is left to do, and since which revision chunks were dealt so. */
  #done: { readonly dealtSince: number; readonly to: number } | undefined;

  constructor(
    deps: WorkerDeps,
    of: { readonly job: RunningJob; readonly chunks: HeldChunks; readonly writer: SeatWriter },
  ) {
    this.#deps = deps;
    this.#job = of.job;
    this.#chunks = of.chunks;
    this.#writer = of.writer;
  }

  get done(): SeatNote['done'] {
    return this.isScanned && this.#done !== undefined
      ? { revision: this.#job.pace.control.revision, to: this.#done.to }
      : undefined;
  }

  /** Every chunk of the seat that is given out now has been begun, or is another's. */
  get isScanned(): boolean {
    return this.#done?.dealtSince === this.#job.pace.dealtSince;
  }

  /** Looks for the seat's chunks anew, with the next pick. */
  lookAgain(): void {
    this.#scan = undefined;
    this.#done = undefined;
  }

  /** Chunks to begin, or to leave; those that were in hand stay there when S3 does not say which come next. */
  async pick(items: number): Promise<readonly WorkMessage[]> {
    const inHand: WorkMessage[] = [];
    const found: WorkMessage[] = [];
    try {
      await this.#pick({ inHand, found }, items);
      this.#found = found;
      return [...inHand, ...found];
    } catch (error) {
      for (const message of inHand) this.#chunks.keep(message);
      this.#scan = undefined;
      this.#writer.putOff();
      throw error;
    }
  }

  /** The chunks of the last pick are begun: from here on they stand in the seat's note. */
  begin(): void {
    for (const message of this.#found) this.#chunks.begin(message);
  }

  /** Leaves the chunks of the last pick: those that were found may be another seat's by now, and are looked for again. */
  leave(picked: readonly WorkMessage[]): void {
    for (const message of picked) if (!this.#found.includes(message)) this.#chunks.keep(message);
    this.lookAgain();
  }

  async #pick(
    { inHand, found }: { readonly inHand: WorkMessage[]; readonly found: WorkMessage[] },
    items: number,
  ): Promise<void> {
    const { pace } = this.#job;
    const now = this.#deps.clock.now();
    const isEnough = (): boolean => {
      const picked = [...inHand, ...found];
      return (
        picked.length >= chunksAtOnce ||
        picked.reduce((sum, { only, count }) => sum + (only?.length ?? count), 0) >= items
      );
    };
    for (const message of this.#chunks.hand.filter(({ notBefore = 0 }) => notBefore <= now)) {
      if (isEnough()) return;
      const isDead = (message.deaths ?? 0) >= mostDeaths;
      if (isDead) await (await import('./fail-rest.ts')).failRest(this.#deps, message);
      this.#chunks.takeOut(message);
      if (isDead) continue;
      // From here on the chunk is this holder's: the scan must not give it once more.
      this.#chunks.begin(message);
      inHand.push(message);
    }
    if (isEnough() || !pace.isSettled(now)) return;
    const { dealtSince } = pace;
    const scan = this.#scan?.of.dealtSince === dealtSince ? this.#scan : await this.#beginScan();
    while (!isEnough()) {
      const next = await scan.next();
      if (next === undefined) break;
      found.push(next);
    }
    // What an earlier holder has left meanwhile is found by the next scan alone.
    if (scan === this.#scan && scan.doneTo !== undefined) this.#done = { dealtSince, to: scan.doneTo };
  }

  async #beginScan(): Promise<SeatScan> {
    const { control, dealtSince } = this.#job.pace;
    const { generation, table } = control;
    const { seat } = this.#writer;
    const { seats } = table;
    const job = this.#job.folder;
    const chunks = this.#chunks;
    const own = (place: string): boolean => chunks.has(place);
    const scan = new SeatScan(this.#deps.store, { job, seat, seats, dealtSince, generation, own });
    this.#done = undefined;
    this.#scan = scan;
    const write = (): Promise<boolean> => this.#writer.write('held');
    await adoptHands(this.#deps, { job, seat, seats, chunks, notes: await scan.notes, write });
    return scan;
  }
}
