import { addDigests, countRow, type Digest, emptyDigest } from '../format/digest.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { WorkMessage } from '../format/message.ts';
import type { Row } from '../format/outcome.ts';
import type { ChunkPlace, JobFolder } from '../format/paths.ts';
import type { ItemAbout } from './open-message.ts';

/** An item that is to be tried. */
export interface ItemRun {
  readonly chunk: OpenChunk;
  /** In its folder: its place in a pass. */
  readonly index: number;
  /** In the job: as whose call it is known to the downstream. */
  readonly jobIndex: number;
  readonly item: unknown;
  /** What its row says of it. */
  readonly about: ItemAbout;
  /** Attempts used. */
  attempts: number;
  /** Time of those attempts here, in milliseconds. */
  callMs: number;
  /** Milliseconds since the epoch before which the next attempt must not start. */
  notBefore: number;
}

/** An item that another invocation has to go on with. */
interface LaterItem {
  readonly index: number;
  readonly attempts: number;
  readonly notBefore: number;
}

/** What an attempt that came to nothing has cost, before its item goes to another invocation. */
const attemptsOnly = (callMs: number): Digest => ({ ...emptyDigest, callMs });

/** A chunk in a worker's hands: its rows so far, and what is left of it. */
export class OpenChunk {
  readonly manifest: Manifest;
  readonly message: WorkMessage;
  readonly messageId: string;
  /** Absent where the fan-out runs the chunk itself; another one when the message came again. */
  receiptHandle: string | undefined;
  readonly heldBytes: number;
  readonly #todo: number;
  #rows: Row[] = [];
  #rowBytes = 0;
  #storingBytes = 0;
  #settled = 0;
  #later: LaterItem[] = [];
  #digest: Digest;
  #segments: string[];
  /** When rows were last stored early. */
  checkpointAt: number;
  /** Settled when what is being stored early stands, or is back in hand. */
  storing: Promise<void> = Promise.resolve();
  /** Rows are being stored early. */
  isStoring = false;
  /** The worker stores it for good. */
  closing = false;
  #attempted = false;

  constructor(at: {
    readonly manifest: Manifest;
    readonly message: WorkMessage;
    readonly messageId: string;
    readonly receiptHandle: string | undefined;
    readonly heldBytes: number;
    readonly todo: number;
    readonly now: number;
  }) {
    this.manifest = at.manifest;
    this.message = at.message;
    this.messageId = at.messageId;
    this.receiptHandle = at.receiptHandle;
    this.heldBytes = at.heldBytes;
    this.#todo = at.todo;
    this.checkpointAt = at.now;
    this.#digest = at.message.digest ?? emptyDigest;
    this.#segments = [...(at.message.segments ?? [])];
  }

  get jobId(): string {
    return this.manifest.jobId;
  }

  get folder(): JobFolder {
    return manifestFolder(this.manifest);
  }

  get place(): ChunkPlace {
    return { part: this.message.part, chunk: this.message.chunk };
  }

  get hasRows(): boolean {
    return this.#rows.length > 0;
  }

  /** Bytes of the rows that are not stored yet. */
  get rowBytes(): number {
    return this.#rowBytes;
  }

  /** Bytes of the rows in memory: also of those that are being stored. */
  get heldRowBytes(): number {
    return this.#rowBytes + this.#storingBytes;
  }

  get segments(): readonly string[] {
    return this.#segments;
  }

  get digest(): Digest {
    return this.#digest;
  }

  /** Nothing of the chunk is to be done here any more. */
  get isFinished(): boolean {
    return this.#settled + this.#later.length === this.#todo;
  }

  /** Items for another invocation. */
  get later(): readonly LaterItem[] {
    return this.#later;
  }

  settle(row: Row, cost: { readonly bytes: number; readonly callMs: number }): void {
    this.#rows.push(row);
    this.#rowBytes += cost.bytes;
    this.#settled++;
    this.#digest = countRow(this.#digest, row, cost.callMs);
  }

  handOver(run: ItemRun): void {
    this.#later.push({ index: run.index, attempts: run.attempts, notBefore: run.notBefore });
    this.#digest = addDigests(this.#digest, attemptsOnly(run.callMs));
  }

  /** Adds what the worker itself spent on the chunk. */
  charge(spent: Pick<Digest, 'invocations' | 'billedMs' | 'handOvers' | 'slowCallbacks' | 'slowestMs'>): void {
    this.#digest = addDigests(this.#digest, { ...emptyDigest, ...spent });
  }

  /** An item of the chunk was tried here. */
  attempted(): void {
    this.#attempted = true;
  }

  /** Whether this worker has settled an item or used up an attempt, so that a hand-over is no step in place. */
  get hasProgress(): boolean {
    return this.#attempted || this.#settled > 0;
  }

  /** Takes the rows that are not stored yet, to store them. */
  takeRows(now: number): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#storingBytes = this.#rowBytes;
    this.#rowBytes = 0;
    this.checkpointAt = now;
    return rows;
  }

  /** Names the segment in which the rows taken stand. */
  addSegment(name: string): void {
    this.#segments.push(name);
    this.#storingBytes = 0;
  }

  /** Takes rows back that could not be stored. */
  putBackRows(rows: readonly Row[]): void {
    this.#rows = [...rows, ...this.#rows];
    this.#rowBytes += this.#storingBytes;
    this.#storingBytes = 0;
  }
}
