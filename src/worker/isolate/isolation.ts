import { parseToWrite } from '../../format/json.ts';
import type { ItemError } from '../../format/outcome.ts';
import { limits } from '../../limits.ts';
import { FailedElsewhere } from '../../task/failure.ts';
import { AttemptBrokenOff } from '../attempt.ts';
import type { Used } from '../usage.ts';
import type { ChildAnswer, ChildEnd, ChildRequest, StartChild, TaskChild } from './task-child.ts';

/** Children that may end before they take an item: then there is none to be had on this machine. */
const maxFailedStarts = 3;

interface InFlight {
  readonly key: string;
  readonly reject: (error: Error) => void;
  /** Nothing of an item has run that the child did not take: what was on its way to it when it ended is not suspect. */
  isTaken: boolean;
}

/**
 * Runs suspect items in a child process and finds the one that ends it. What runs at the moment of a death is suspect:
 * of n suspects √n run at once next, then one by one; who is alone then, has failed. All others run again, and those that have
 * answered are not called again.
 */
export class Isolation<Run extends object> {
  readonly #start: StartChild;
  readonly #onRejection: (run: Run, error: ItemError) => void;
  readonly #onChange: () => void;
  /** Who has answered lately, by key: a rejection may come after. */
  readonly #answered = new Map<string, Run>();
  readonly #inFlight = new Map<Run, InFlight>();
  /** The last one that the child was given, until its task is called: a child whose loop is busy does that late. */
  #beginning: Run | undefined;
  #child: TaskChild | undefined;
  /** Tasks of the child: those that it loads, and whether it has them. */
  readonly #tasks = new Map<string, boolean>();
  #suspects: Set<Run> | undefined;
  #window: number = limits.isolatedItems;
  #failedStarts = 0;
  #closed = false;

  /** @param on.change told when items may start that could not before */
  constructor(
    start: StartChild,
    on: { readonly rejection: (run: Run, error: ItemError) => void; readonly change: () => void },
  ) {
    this.#start = start;
    this.#onRejection = on.rejection;
    this.#onChange = on.change;
  }

  /** Whether items can run apart: a machine on which no child starts runs them as all others. */
  get works(): boolean {
    return this.#failedStarts < maxFailedStarts;
  }

  /**
   * Whether the item may start now: while there are suspects only they run, few at once. None starts before a child has its task and has
   * called that of the one before, or starts that were paced would gather there and become calls all at once.
   */
  mayStart(run: Run, task: string): boolean {
    if (this.#beginning !== undefined || this.#inFlight.size >= this.#window || this.#suspects?.has(run) === false)
      return false;
    return this.#closed || !this.works || this.#has(task);
  }

  #has(task: string): boolean {
    const child = this.#liveChild();
    if (!this.#tasks.has(task)) {
      this.#tasks.set(task, false);
      void child.load(task).then(() => {
        if (this.#child !== child) return;
        this.#tasks.set(task, true);
        this.#onChange();
      });
    }
    return this.#tasks.get(task) === true;
  }

  /** Runs one item in the child; `on.begun` is called when its task is. @throws AttemptBrokenOff, or FailedElsewhere when the item ended the process. */
  async run(
    run: Run,
    request: ChildRequest,
    signal: AbortSignal,
    on: { readonly used: (used: Used) => void; readonly begun: () => void },
  ): Promise<unknown> {
    const { promise: died, reject } = Promise.withResolvers<never>();
    const inFlight = { key: request.idempotencyKey, reject, isTaken: false };
    this.#inFlight.set(run, inFlight);
    this.#beginning = run;
    const taken = (): void => {
      inFlight.isTaken = true;
    };
    let answer: ChildAnswer;
    try {
      const told = { taken, begun: () => this.#begun(run, on.begun) };
      answer = await Promise.race([this.#liveChild().run(request, signal, told), died]);
    } finally {
      this.#inFlight.delete(run);
      this.#begun(run);
    }
    this.#failedStarts = 0;
    this.#clear(run);
    if (this.#answered.size >= limits.chunkItems) this.#answered.clear();
    this.#answered.set(request.idempotencyKey, run);
    if (answer.used !== undefined) on.used(answer.used);
    if (answer.ok) return parseToWrite(answer.json);
    throw new FailedElsewhere(answer.error, answer.retryAfterMs);
  }

  /** The next one may start: the child has called the task, or never will. */
  #begun(run: Run, tell?: () => void): void {
    if (this.#beginning !== run) return;
    this.#beginning = undefined;
    tell?.();
    this.#onChange();
  }

  /** Ends the child; what runs in it is broken off. */
  close(): void {
    this.#closed = true;
    this.#child?.kill();
    this.#breakOff([...this.#inFlight.values()]);
  }

  #liveChild(): TaskChild {
    if (this.#closed) throw new AttemptBrokenOff();
    if (this.#child !== undefined) return this.#child;
    const child = this.#start((key, error) => {
      const run = this.#answered.get(key);
      if (run !== undefined) this.#onRejection(run, error);
    });
    this.#child = child;
    void child.ended.then((end) => {
      this.#child = undefined;
      this.#tasks.clear();
      this.#afterDeath(end);
      this.#onChange();
    });
    return child;
  }

  #afterDeath(end: ChildEnd): void {
    if (this.#closed) return;
    const broken = [...this.#inFlight];
    const dead = broken.filter(([, { isTaken }]) => isTaken);
    this.#failedStarts = dead.length === 0 ? this.#failedStarts + 1 : 0;
    const guilty =
      end.culprit === undefined && dead.length === 1 ? dead[0] : dead.find(([, { key }]) => key === end.culprit);
    if (guilty !== undefined) {
      const [run, { reject }] = guilty;
      this.#clear(run);
      reject(new FailedElsewhere({ ...end.error, retryable: false }));
      this.#suspects = undefined;
      this.#window = limits.isolatedItems;
    } else if (end.culprit === undefined && dead.length > 1) {
      this.#suspects = new Set(dead.map(([run]) => run));
      this.#window = this.#window === limits.isolatedItems ? Math.floor(Math.sqrt(dead.length)) : 1;
    }
    this.#breakOff(broken.filter((one) => one !== guilty).map(([, inFlight]) => inFlight));
  }

  #breakOff(inFlight: readonly InFlight[]): void {
    for (const { reject } of inFlight) reject(new AttemptBrokenOff());
  }

  /** The item has an answer: it was not what ended the process. */
  #clear(run: Run): void {
    this.#suspects?.delete(run);
    if (this.#suspects?.size !== 0) return;
    this.#suspects = undefined;
    this.#window = limits.isolatedItems;
  }
}
