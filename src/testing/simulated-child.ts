import type { Clock, Log } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { ChildLoop } from '../worker/isolate/child-loop.ts';
import type { ChildAnswer, ChildEnd, ChildRequest, StartChild, TaskChild } from '../worker/isolate/task-child.ts';

/** A child process of a simulated worker: the product's own loop of a child, without the process. */
export class SimulatedChild implements TaskChild {
  readonly ended: Promise<ChildEnd>;
  readonly #loop: ChildLoop;
  readonly #loads = new Map<string, () => void>();
  readonly #answers = new Map<number, (answer: ChildAnswer) => void>();
  readonly #end: (how: ChildEnd) => void;
  #serial = 0;
  #isDead = false;

  /** @param tasks makes the tasks of the child, which call what it is given to end it */
  constructor(parts: {
    readonly tasks: (end: () => void) => TaskRegistry;
    readonly clock: Clock;
    readonly log: Log;
    readonly onRejection: Parameters<StartChild>[0];
  }) {
    const { promise, resolve } = Promise.withResolvers<ChildEnd>();
    this.ended = promise;
    this.#end = resolve;
    const tasks = parts.tasks(() => this.kill());
    this.#loop = new ChildLoop({ ...parts, tasks }, (message) => {
      if (this.#isDead) return;
      if (message.type === 'loaded') this.#loads.get(message.task)?.();
      if (message.type === 'answer') this.#answers.get(message.id)?.(message.answer);
      if (message.type === 'rejection') parts.onRejection(message.idempotencyKey, message.error);
    });
  }

  load(task: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#loads.set(task, resolve);
    void this.#loop.take({ type: 'load', task });
    return promise;
  }

  run(request: ChildRequest, signal: AbortSignal): Promise<ChildAnswer> {
    const id = this.#serial++;
    const { promise, resolve } = Promise.withResolvers<ChildAnswer>();
    this.#answers.set(id, resolve);
    signal.addEventListener('abort', () => void this.#loop.take({ type: 'abort', id }), { once: true });
    if (!this.#isDead) void this.#loop.take({ type: 'run', id, request });
    return promise;
  }

  kill(): void {
    this.#isDead = true;
    const message = 'its process ended while the item ran alone in it';
    this.#end({ wasReady: true, error: { code: 'WorkerCrashed', message, retryable: false } });
  }
}
