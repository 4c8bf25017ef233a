import type { Digest } from '../format/digest.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { folderName, type JobFolder } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { Task } from '../task/task.ts';
import type { Gate } from './gate.ts';
import type { Isolation } from './isolate/isolation.ts';
import type { ItemRun } from './item-run.ts';
import type { OpenChunk } from './open-chunk.ts';
import type { Pace } from './pace.ts';

/** One job within a worker: its items in line, and its own limits. */
export class RunningJob {
  readonly manifest: Manifest;
  /** Names its folder; the same for its items that run apart. */
  readonly name: string;
  /** Undefined where none has its name. */
  readonly task: Task | undefined;
  /** Where its items run apart from all others; absent where they run here. */
  readonly isolation: Isolation<ItemRun> | undefined;
  /** How fast it may go here; shared with the job's items that run apart. */
  readonly pace: Pace;
  /** When the job began, in milliseconds since the epoch: rows count from it. */
  readonly beganAt: number;
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  /** Items that can start now. */
  readonly ready: ItemRun[] = [];
  /** Items whose next attempt has its time; the function forgets the timer. */
  readonly waiting = new Map<ItemRun, () => void>();
  running = 0;
  /** The item of which a thread has not begun the call: paced ones do not gather before it, or they would become calls all at once. */
  #beginning: ItemRun | undefined;
  /** An item was started since the loop was last looked at. */
  ranSince = false;
  #slow: Pick<Digest, 'slowCallbacks' | 'slowestMs'> = { slowCallbacks: 0, slowestMs: 0 };
  /** No item of this job starts here any more. */
  draining = false;
  /** When a message of it was last opened here. */
  openedAt = Number.NEGATIVE_INFINITY;

  constructor(manifest: Manifest, task: Task | undefined, pace: Pace, isolation?: Isolation<ItemRun>) {
    this.isolation = isolation;
    this.manifest = manifest;
    this.name = folderName(manifestFolder(manifest));
    this.task = task;
    this.pace = pace;
    this.beganAt = Date.parse(manifest.jobCreatedAt ?? manifest.createdAt);
  }

  /** The way by which its attempts start: slots that open over the ramp, and a brake for a downstream that refuses. */
  get gate(): Gate {
    return this.pace.gate;
  }

  get folder(): JobFolder {
    return manifestFolder(this.manifest);
  }

  /** The job's task; items of an unknown one have failed before they could start. */
  get taskOrThrow(): Task {
    if (this.task === undefined) throw new Error(`expected a task "${this.manifest.task}", got none`);
    return this.task;
  }

  /** Aborted when the job is cancelled. */
  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Aborted when its calls must not run on here: the job was cancelled, or the worker leaves. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  cancel(): void {
    this.#cancel.abort(new Error('the job was cancelled'));
    this.#stop.abort(this.#cancel.signal.reason);
  }

  /** Aborts the calls that run; their items go on elsewhere. */
  leave(): void {
    this.#stop.abort(new Error('the worker leaves'));
  }

  /** The loop was blocked for `ms` while items of this job ran. */
  addSlow(ms: number): void {
    this.#slow = { slowCallbacks: this.#slow.slowCallbacks + 1, slowestMs: Math.max(this.#slow.slowestMs, ms) };
  }

  /** Takes what {@link addSlow} has counted, to charge it to a chunk. */
  takeSlow(): Pick<Digest, 'slowCallbacks' | 'slowestMs'> {
    const slow = this.#slow;
    this.#slow = { slowCallbacks: 0, slowestMs: 0 };
    return slow;
  }

  /** Takes the items that have not started and those that wait for their next attempt. */
  takeAll(): ItemRun[] {
    for (const forget of this.waiting.values()) forget();
    const left = [...this.ready.splice(0), ...this.waiting.keys()];
    this.waiting.clear();
    return left;
  }

  /** Forgets the items of one chunk that have not started. */
  forget(chunk: OpenChunk): void {
    for (const [run, cancel] of this.waiting) {
      if (run.chunk !== chunk) continue;
      cancel();
      this.waiting.delete(run);
    }
    this.ready.splice(0, this.ready.length, ...this.ready.filter((run) => run.chunk !== chunk));
  }

  /** Whether an item of the chunk can start still. */
  hasMore(chunk: OpenChunk): boolean {
    return this.ready.some((run) => run.chunk === chunk) || this.waiting.keys().some((run) => run.chunk === chunk);
  }

  /** Whether a start waits for a thread. */
  get isBeginning(): boolean {
    return this.#beginning !== undefined;
  }

  /** Whether nothing else starts before a thread has begun this item's call: {@link begun} tells of it. */
  begins(run: ItemRun): boolean {
    if (this.isolation !== undefined || this.task?.thread !== true || !Number.isFinite(this.gate.share.perSecond))
      return false;
    this.#beginning = run;
    return true;
  }

  /** A thread has begun an item's call, at `now`; undefined where it never will. */
  begun(run: ItemRun, now?: number): void {
    if (this.#beginning !== run) return;
    this.#beginning = undefined;
    if (now !== undefined) this.gate.begun(now);
  }

  /** Takes the item that starts next: of those that run apart one that may, and where a stop is reached one whose chunk is begun. */
  next(): ItemRun | undefined {
    const { isolation, ready } = this;
    const { isReached } = this.pace;
    if (isolation === undefined && this.isBeginning) return undefined;
    if (isolation === undefined && !isReached) return ready.shift();
    const at = ready.findIndex(
      (run) => (!isReached || run.chunk.isBegun) && isolation?.mayStart(run, this.manifest.task) !== false,
    );
    return at === -1 ? undefined : ready.splice(at, 1)[0];
  }

  /** Its part of the slots where jobs meet: who has twice the weight runs twice the calls. */
  get weight(): number {
    return this.pace.limits.priority ?? limits.priority;
  }

  /** Whether it waits for a turn before more of it is begun here. */
  isHeldBack(now: number, deadline: number): boolean {
    const isOver = this.cancelled.aborted || this.pace.isPaused;
    return !isOver && this.pace.isHeldBack(now) && this.fits(now, deadline);
  }

  /** Whether its slots would soon stand empty: the next chunk is read while calls run, so that half a line of them is left for it. */
  isHungry(now: number, deadline: number): boolean {
    if (this.pace.needsSeats || this.pace.isHeldBack(now)) return false;
    const slots = this.gate.slots(now);
    return this.ready.length <= slots / 2 && slots > 0 && this.fits(now, deadline);
  }

  /** Whether more of it than its slots take next is in line: then a further chunk is better off with another worker. */
  get hasLongLine(): boolean {
    return this.ready.length > this.pace.atOnce;
  }

  /** Whether an attempt that starts at `now` can end, and its row be stored, before the deadline. */
  fits(now: number, deadline: number): boolean {
    return now + this.manifest.options.timeoutMs + limits.deadlineMarginMs <= deadline;
  }
}
