import type { Digest } from '../format/digest.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { WorkMessage } from '../format/message.ts';
import type { ItemError, Row } from '../format/outcome.ts';
import type { ChunkPlace, JobFolder } from '../format/paths.ts';
import type { RowLine } from '../format/result.ts';
import { whenAborted } from '../waiting.ts';
import { ChunkAccount } from './chunk-account.ts';
import type { HeldMessage } from './held-message.ts';
import type { KeptRows } from './kept-rows.ts';
import type { Pace } from './pace.ts';
import { type FailedItem, type RowCost, RowsInHand } from './rows-in-hand.ts';
import type { ChunkCounts } from './stop-share.ts';

/** The job of a chunk, as the chunk sees it. */
interface JobOfChunk {
  readonly manifest: Manifest;
  /** Aborted when its calls must not run on. */
  readonly stopped: AbortSignal;
  readonly pace: Pick<Pace, 'isVoid'>;
  /** Forgets the items of a chunk that have not started. */
  forget(chunk: OpenChunk): void;
  /** Whether an item of the chunk can start still. */
  hasMore(chunk: OpenChunk): boolean;
  takeSlow(): Pick<Digest, 'slowCallbacks' | 'slowestMs'>;
}

/** An item that another invocation has to go on with. */
interface LaterItem {
  readonly index: number;
  readonly attempts: number;
  /** Milliseconds since the epoch before which the next attempt must not start. */
  readonly notBefore: number;
  /** How long that was when it was decided, in milliseconds. */
  readonly waitMs: number;
}

/** A chunk in a worker's hands: its rows so far, and what is left of it. */
export class OpenChunk {
  readonly held: HeldMessage;
  readonly job: JobOfChunk;
  readonly heldBytes: number;
  readonly #todo: number;
  readonly #stop = new AbortController();
  readonly #unlisten: () => void;
  #isDropped = false;
  /** Aborted when its calls must not run on: the chunk is another worker's, or its job was stopped. */
  readonly stopped: AbortSignal;
  /** Segments that were there when the chunk was opened, or that this worker stored: others are another worker's. */
  readonly knownSegments: Set<string>;
  readonly #rows = new RowsInHand();
  #settled = 0;
  #later: LaterItem[] = [];
  readonly #account: ChunkAccount;
  #segments: string[];
  /** When a segment was last stored: rows, or a sign of life. */
  checkpointAt: number;
  /** Settled when what is being stored early stands, or is back in hand. */
  storing: Promise<void> = Promise.resolve();
  /** Rows are being stored early. */
  isStoring = false;
  /** The worker stores it for good. */
  closing = false;
  /** What it adds to the counts at which its job stops; absent where it does not. */
  counts: ChunkCounts | undefined;
  #attempted = false;

  constructor(at: {
    readonly held: HeldMessage;
    readonly job: JobOfChunk;
    readonly kept: KeptRows | undefined;
    readonly heldBytes: number;
    readonly todo: number;
    readonly now: number;
  }) {
    const { message } = at.held;
    this.held = at.held;
    this.job = at.job;
    this.heldBytes = at.heldBytes;
    this.#todo = at.todo;
    this.checkpointAt = at.now;
    // Asked at each attempt: a signal made by `AbortSignal.any` looks through its sources each time.
    const { stopped } = at.job;
    const stop = this.#stop;
    this.stopped = stop.signal;
    this.#unlisten = whenAborted(stopped, () => stop.abort(stopped.reason));
    this.knownSegments = new Set(at.kept?.known);
    this.#segments = [...(message.segments ?? []), ...(at.kept?.segments ?? [])];
    this.#account = new ChunkAccount(message.digest, at.kept);
  }

  get message(): WorkMessage {
    return this.held.message;
  }

  get jobId(): string {
    return this.job.manifest.jobId;
  }

  get folder(): JobFolder {
    return manifestFolder(this.job.manifest);
  }

  get place(): ChunkPlace {
    return { part: this.message.part, chunk: this.message.chunk };
  }

  get hasRows(): boolean {
    return !this.#rows.isEmpty;
  }

  /** Bytes of the rows that are not stored yet. */
  get rowBytes(): number {
    return this.#rows.bytes;
  }

  /** Bytes of the rows in memory: also of those that are being stored. */
  get heldRowBytes(): number {
    return this.#rows.heldBytes;
  }

  get segments(): readonly string[] {
    return this.#segments;
  }

  /** What the rows that were taken count, and what was charged. */
  get digest(): Digest {
    return this.#account.digest;
  }

  /** Nothing of the chunk is to be done here any more. */
  get isFinished(): boolean {
    return this.#settled + this.#later.length === this.#todo;
  }

  /** Its job pauses, or has given its chunks out anew: what is left of it comes back by itself. */
  get isVoid(): boolean {
    return this.held.seat === undefined && this.job.pace.isVoid(this.message.gen);
  }

  /** Another worker has the chunk: nothing of it counts here any more. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Items for another invocation. */
  get later(): readonly LaterItem[] {
    return this.#later;
  }

  /** Gives the chunk up to another worker: its calls are aborted, its rows forgotten. */
  drop(): void {
    this.#isDropped = true;
    this.#stop.abort(new Error('the chunk is another worker’s'));
    this.#rows.clear();
  }

  /** It is in hand no longer. */
  release(): void {
    this.#unlisten();
    if (this.counts !== undefined) this.counts.isElsewhere = this.#isDropped || this.#later.length > 0;
  }

  settle(row: Row, cost: RowCost): void {
    this.#rows.add(row, cost);
    this.#settled++;
    this.counts?.settled(row.status);
  }

  /** An item fails whatever it answers, or has answered; what is stored already stays as it is. */
  fail(item: FailedItem, error: ItemError): void {
    this.#rows.fail(item, error);
  }

  handOver(run: LaterItem & { readonly refusals: number; readonly callMs: number }): void {
    const { index, attempts, refusals, notBefore, waitMs } = run;
    this.#rows.leave(index);
    this.#later.push({ index, attempts: attempts - refusals, notBefore, waitMs });
    // What an attempt that came to nothing has cost.
    this.#account.charge({ callMs: run.callMs });
  }

  /** Adds what the worker itself spent on the chunk. */
  charge(spent: Partial<Digest>): void {
    this.#account.charge(spent);
  }

  /** A task said that it used so many US dollars. */
  spend(usd: number): void {
    const nanoUsd = this.#account.spend(usd);
    if (this.counts !== undefined) this.counts.nanoUsd += nanoUsd;
  }

  /** An item of the chunk was tried here. */
  attempted(): void {
    this.#attempted = true;
  }

  /** Whether this worker has settled an item or used up an attempt, so that a hand-over is no step in place. */
  get hasProgress(): boolean {
    return this.#attempted || this.#settled > 0;
  }

  /** Whether any of its items was tried, here or before. */
  get isBegun(): boolean {
    return this.hasProgress || !this.#account.isEmpty;
  }

  /** Rows of which it is not known that they stand: those in hand, those that are being stored, and those that are to come in any case. */
  unstored(): readonly RowLine[] {
    return this.#rows.lines();
  }

  /** Takes the rows that are not stored yet, counts them, and forgets them: whoever takes them stores them. */
  takeRows(now: number): readonly RowLine[] {
    this.checkpointAt = now;
    const { lines, digest } = this.#rows.take(this.#account.digest);
    this.#account.digest = digest;
    return lines;
  }

  /** Takes what was spent since this was last asked, in 1e-9 US dollars: the segment of the rows that are taken says it. */
  takeSpent(): number {
    return this.#account.takeSpent();
  }

  /** Names the segment in which the rows taken stand. */
  addSegment(name: string): void {
    this.#segments.push(name);
    this.#rows.stand();
  }
}
