import { sleep } from '../waiting.ts';
import type { SteerDeps } from './stack.ts';
import { cancelJob } from './steer.ts';

/** A job that somebody asks for. */
export interface AskedJob {
  readonly id: string;
  /** The write by which the job is kept to, from when it was begun. */
  marking?: Promise<unknown>;
}

/** Who closes a connection waits so long at most for jobs that are being cancelled: where nothing answers, they go on. */
const cancelMs = 5_000;

/** Jobs whose only reader has gone. Nobody waits for their end but who closes the connection, or an embedded one would go on with the next. */
export class AbandonedJobs {
  readonly #deps: SteerDeps;
  readonly #cancelling = new Set<Promise<unknown>>();

  constructor(deps: SteerDeps) {
    this.#deps = deps;
  }

  /** Cancels a job, once, from when its mark stands. */
  cancel(asked: AskedJob): void {
    const { id, marking } = asked;
    if (marking === undefined) return;
    delete asked.marking;
    const cancel = (): Promise<unknown> => cancelJob(this.#deps, id, 'a program');
    // Its mark may stand though the answer was lost. One that was refused is there no more; one that cannot be reached goes on.
    const cancelling = marking.then(cancel, cancel).catch(() => undefined);
    this.#cancelling.add(cancelling);
    void cancelling.then(() => this.#cancelling.delete(cancelling));
  }

  /** Resolves when they are cancelled, and soon where nothing answers. */
  async cancelled(): Promise<void> {
    const enough = new AbortController();
    const late = sleep(this.#deps.clock, cancelMs, enough.signal).catch(() => undefined);
    await Promise.race([Promise.all(this.#cancelling), late]);
    enough.abort();
  }
}
