import { limits } from '../limits.ts';
import type { RunningJob } from './running-job.ts';

/** The first pause after a receive that brought nothing to run; each one is twice as long, up to that of a look. */
const firstPauseMs = 100;

/**
 * When a worker receives again. With nothing in line, at once. While every job has items in line, it only looks for messages of other
 * jobs now and then: with more of its own it would keep chunks from workers that have nothing to do. Where one job has nothing in line
 * and another has, receives come at once, but ever later after those that brought more of what is in line already.
 */
export class PullTimes {
  #receivedAt: number;
  #pauseMs = 0;

  constructor(now: number) {
    this.#receivedAt = now;
  }

  /** A receive begins. */
  began(now: number): void {
    this.#receivedAt = now;
  }

  /** A receive has brought something to run, or nothing at all. */
  welcome(): void {
    this.#pauseMs = 0;
  }

  /** A receive has brought only what is in line already. */
  useless(): void {
    this.#pauseMs = Math.min(limits.lookForOthersMs, Math.max(firstPauseMs, 2 * this.#pauseMs));
  }

  /** A message may be there at this time: the next look comes then, if not before. */
  expect(at: number): void {
    this.#receivedAt = Math.min(this.#receivedAt, at - limits.lookForOthersMs);
  }

  /** Milliseconds until the next receive may begin. */
  waitMs(jobs: readonly RunningJob[], now: number, deadline: number): number {
    const hungry = jobs.filter((job) => job.isHungry(now, deadline));
    if (hungry.length === jobs.length) return 0;
    const isLookOnly = hungry.every((job) => !isAtWork(job, now));
    const pauseMs = isLookOnly ? limits.lookForOthersMs : this.#pauseMs;
    // A clock that was set back must not make the pause longer.
    return Math.min(pauseMs, this.#receivedAt + pauseMs - now);
  }
}

/** Whether more of the job may be expected: it ran here a moment ago. A job that has ended stays among those of the worker. */
const isAtWork = (job: RunningJob, now: number): boolean =>
  job.running > 0 || now - job.openedAt < limits.lookForOthersMs;
