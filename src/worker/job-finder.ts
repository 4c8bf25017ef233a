import { controlOf, readSeenControl, type SeenControl } from '../folder/control.ts';
import { readManifest } from '../folder/read.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { folderOf } from '../format/message.ts';
import type { ItemError } from '../format/outcome.ts';
import { folderName } from '../format/paths.ts';
import { limits } from '../limits.ts';
import { stopsAtCount } from '../task/job-limits.ts';
import type { Task } from '../task/task.ts';
import type { WorkerDeps } from './deps.ts';
import { type HeldBell, type HeldMessage, isSuspect } from './held-message.ts';
import { Isolation } from './isolate/isolation.ts';
import type { ItemRun } from './item-run.ts';
import { Pace } from './pace.ts';
import { readHeld } from './read-held.ts';
import { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** Finds the running job that a message belongs to; its first message makes it. */
export class JobFinder {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #unhandled: (run: ItemRun, error: ItemError) => void;
  #isolation: Isolation<ItemRun> | undefined;

  /** @param unhandled told when an item that runs apart did something to its process after it was answered */
  constructor(deps: WorkerDeps, state: WorkerState, unhandled: (run: ItemRun, error: ItemError) => void) {
    this.#deps = deps;
    this.#state = state;
    this.#unhandled = unhandled;
  }

  /** Ends the process of the items that run apart. */
  close(): void {
    this.#isolation?.close();
  }

  /** The job of a message; items that a worker may have died of run apart from all others. */
  of(held: HeldMessage): Promise<RunningJob | undefined> {
    return this.#find(held, isSuspect(held));
  }

  /** The job of a bell. */
  ofBell(bell: HeldBell): Promise<RunningJob | undefined> {
    // A seat has the calls of one worker, and its bells are to find one each.
    this.#deps.places?.keep(1);
    return this.#find(bell, false);
  }

  async #find(held: HeldMessage | HeldBell, suspect: boolean): Promise<RunningJob | undefined> {
    const { store, clock, log, startChild } = this.#deps;
    const { jobs } = this.#state;
    const folder = folderOf(held.message);
    if (suspect && startChild !== undefined) {
      this.#isolation ??= new Isolation(startChild, {
        rejection: this.#unhandled,
        change: () => this.#state.changed.set(),
      });
    }
    const isolation = suspect && this.#isolation?.works === true ? this.#isolation : undefined;
    const name = isolation === undefined ? folderName(folder) : `${folderName(folder)} apart`;
    const known = jobs.get(name);
    if (known !== undefined) {
      // Whoever holds a seat looks at the control by itself.
      if (!('seat' in held)) await this.#refresh(held, known);
      if (this.#lacksTurns(known)) await this.#lookAtTurns(known);
      return known;
    }
    const lookedAt = clock.now();
    const [manifest, seen] = await readHeld(this.#deps, {
      held,
      act: () => Promise.all([readManifest(store, folder), readSeenControl(store, folder)]),
      until: () => this.#state.endAt,
    });
    const task = manifest === undefined ? undefined : await this.#taskOf(manifest);
    const raced = jobs.get(name);
    if (raced !== undefined) return raced;
    if (manifest === undefined) {
      log('warn', 'a message of a job without a manifest was dropped', { jobId: folder.id });
      return undefined;
    }
    const pace = this.#paceOf(manifest, seen ?? { control: controlOf(manifest), ageMs: 0 }, lookedAt);
    const job = new RunningJob(manifest, task, pace, isolation);
    if (seen?.control.state === 'cancelled') job.cancel();
    jobs.set(name, job);
    if (this.#lacksTurns(job)) await this.#lookAtTurns(job);
    return job;
  }

  /** Whether the job stops at some count, and nobody here knows how it stands. Who runs one chunk alone has no use for it. */
  #lacksTurns({ pace }: RunningJob): boolean {
    return this.#deps.pull && pace.stops === undefined && stopsAtCount(pace.limits);
  }

  async #lookAtTurns(job: RunningJob): Promise<void> {
    const { lookAtTurns } = await import('./look-at-turns.ts');
    await lookAtTurns(this.#deps, job);
  }

  /** The pace of a job is one, also where some of its items run apart. */
  #paceOf(manifest: Manifest, seen: SeenControl, now: number): Pace {
    const name = folderName(manifestFolder(manifest));
    const known = this.#state.jobs.values().find((job) => folderName(job.folder) === name);
    if (known !== undefined) return known.pace;
    const { places } = this.#deps;
    const { concurrency, timeoutMs } = manifest.options;
    places?.keep(Math.floor(limits.maxConcurrency / concurrency));
    return new Pace({ now, ...seen, concurrency, timeoutMs, places, workers: manifest.workers });
  }

  /** A job of which nothing was in hand for a time may have been steered since. */
  async #refresh(held: HeldMessage | HeldBell, job: RunningJob): Promise<void> {
    if (job.pace.isOld(this.#deps.clock.now())) await this.lookAgain(held, job);
  }

  /** Looks at the job's control, whose last look may be as old as what it says. */
  async lookAgain(held: HeldMessage | HeldBell, { pace, folder }: RunningJob): Promise<void> {
    const { store, clock } = this.#deps;
    const beganAt = clock.now();
    const act = (): Promise<SeenControl | undefined> => readSeenControl(store, folder);
    const seen = await readHeld(this.#deps, { held, act, until: () => this.#state.endAt });
    pace.saw(seen, beganAt, clock.now());
  }

  /** A task whose module fails fails its items, as one that is not there; why is told by the log. */
  #taskOf({ jobId, task, options }: Manifest): Promise<Task | undefined> {
    const { tasks, log } = this.#deps;
    return tasks.load(task, options.secretHeaders).catch((error: unknown) => {
      log('error', `the task "${task}" cannot be loaded`, { jobId, error: String(error) });
      return undefined;
    });
  }
}
