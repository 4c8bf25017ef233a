import { type ChunkPlace, type JobFolder, resultKey } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { Log } from '../ports.ts';
import type { OpenChunk } from './open-chunk.ts';
import type { RunningJob } from './running-job.ts';
import { Wake } from './wake.ts';

/** What one invocation of the worker has in hand: jobs, chunks, and the work that it owns. */
export class WorkerState {
  readonly #log: Log;
  readonly #open = new Map<string, OpenChunk>();
  readonly #tracked = new Set<Promise<void>>();
  /** Jobs that have had a chunk here, by the name of their folder; apart from it those whose suspect items run in a child. */
  readonly jobs = new Map<string, RunningJob>();
  /** Set whenever an attempt or tracked work has ended, or something can start. */
  readonly changed = new Wake();
  /** Attempts under way, of all jobs. */
  running = 0;
  /** Bytes of input of the open chunks, and of those that are being read. */
  heldBytes = 0;
  /** Milliseconds since the epoch until which S3 and SQS are asked again; nearer when the worker leaves. */
  endAt: number;
  /** Whether further messages may be received. */
  mayPull: boolean;

  constructor(log: Log, options: { readonly mayPull: boolean; readonly endAt: number }) {
    this.#log = log;
    this.mayPull = options.mayPull;
    this.endAt = options.endAt;
  }

  /** Nothing is in hand, and nothing that was started is still under way. */
  get isIdle(): boolean {
    return this.running === 0 && this.#tracked.size === 0 && this.#open.size === 0;
  }

  get chunks(): readonly OpenChunk[] {
    return [...this.#open.values()];
  }

  /** Bytes of input and rows that may still come in. */
  get roomBytes(): number {
    return limits.heldBytes - this.heldBytes - this.#rowBytes;
  }

  /** Rows come in faster than S3 takes them: no further item may start. */
  get isFullOfRows(): boolean {
    return this.#rowBytes >= limits.heldBytes;
  }

  get #rowBytes(): number {
    let bytes = 0;
    for (const chunk of this.#open.values()) bytes += chunk.heldRowBytes;
    return bytes;
  }

  /** Calls of the same job that run apart from this one: both together keep its concurrency. */
  runningApart(job: RunningJob): number {
    let running = 0;
    for (const other of this.jobs.values()) {
      if (other !== job && other.name === job.name) running += other.running;
    }
    return running;
  }

  /** The job's items here, and those of it that run apart. */
  jobsOf({ name }: RunningJob): readonly RunningJob[] {
    return [...this.jobs.values()].filter((job) => job.name === name);
  }

  /** The jobs, those together whose items run here and apart. */
  byFolder(): ReadonlyArray<readonly [RunningJob, ...RunningJob[]]> {
    const groups = new Map<string, [RunningJob, ...RunningJob[]]>();
    for (const job of this.jobs.values()) {
      const { name } = job;
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [job]);
      else group.push(job);
    }
    return [...groups.values()];
  }

  find(job: JobFolder, place: ChunkPlace): OpenChunk | undefined {
    return this.#open.get(resultKey(job, place));
  }

  add(chunk: OpenChunk): void {
    this.#open.set(resultKey(chunk.folder, chunk.place), chunk);
  }

  remove(chunk: OpenChunk): void {
    if (!this.#open.delete(resultKey(chunk.folder, chunk.place))) return;
    this.heldBytes -= chunk.heldBytes;
    chunk.release();
  }

  /** Owns a piece of work to its end; when it fails, its message comes back. A task group would cancel the other chunks then. */
  track(work: Promise<void>, jobId?: string): void {
    this.#tracked.add(work);
    const ended = (): void => {
      this.#tracked.delete(work);
      this.changed.set();
    };
    void work.then(ended, (error: unknown) => {
      this.#giveUp(error, jobId);
      ended();
    });
  }

  /** Does what an attempt has come to. As with {@link track}, what fails comes back, and the others go on. */
  guard(act: () => void, jobId: string): void {
    try {
      act();
    } catch (error) {
      this.#giveUp(error, jobId);
    }
    this.changed.set();
  }

  #giveUp(error: unknown, jobId: string | undefined): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log('error', 'work was given up; its message comes back', { jobId, error: text });
  }
}
