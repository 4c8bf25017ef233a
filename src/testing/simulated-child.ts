import type { Clock, Log } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { ChildLoop } from '../worker/isolate/child-loop.ts';
import type {
  ChildAnswer,
  ChildEnd,
  ChildRequest,
  StartChild,
  TaskChild,
  ToldOfRun,
} from '../worker/isolate/task-child.ts';

/** For so long a child's loop is busy before its first item's task is called, whose code it compiles; what comes meanwhile is begun together then. */
const busyMs = 100;

/** A child process of a simulated worker: the product's own loop of a child, without the process. */
export class SimulatedChild implements TaskChild {
  readonly ended: Promise<ChildEnd>;
  readonly #loop: ChildLoop;
  readonly #loads = new Map<string, () => void>();
  readonly #runs = new Map<number, ToldOfRun & { readonly resolve: (answer: ChildAnswer) => void }>();
  readonly #end: (how: ChildEnd) => void;
  readonly #clock: Clock;
  #busyUntil: number | undefined;
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
    this.#clock = parts.clock;
    const tasks = parts.tasks(() => this.kill());
    this.#loop = new ChildLoop({ ...parts, tasks }, async (message) => {
      if (this.#isDead) return;
      if (message.type === 'loaded') this.#loads.get(message.task)?.();
      if (message.type === 'taken' || message.type === 'begun') this.#runs.get(message.id)?.[message.type]();
      if (message.type === 'answer') this.#runs.get(message.id)?.resolve(message.answer);
      if (message.type === 'rejection') parts.onRejection(message.idempotencyKey, message.error);
    });
  }

  load(task: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#loads.set(task, resolve);
    void this.#loop.take({ type: 'load', task });
    return promise;
  }

  run(request: ChildRequest, signal: AbortSignal, told: ToldOfRun): Promise<ChildAnswer> {
    const id = this.#serial++;
    const { promise, resolve } = Promise.withResolvers<ChildAnswer>();
    this.#runs.set(id, { ...told, resolve });
    signal.addEventListener('abort', () => void this.#loop.take({ type: 'abort', id }), { once: true });
    const now = this.#clock.now();
    this.#busyUntil ??= now + busyMs;
    this.#clock.after(this.#busyUntil - now, () => {
      if (!this.#isDead) void this.#loop.take({ type: 'run', id, request });
    });
    return promise;
  }

  kill(): void {
    this.#isDead = true;
    const message = 'its process ended while the item ran alone in it';
    this.#end({ error: { code: 'WorkerCrashed', message, retryable: false } });
  }
}
