import type { FaultHook } from '../cloud/model/faults.ts';
import type { Clock, Log } from '../ports.ts';
import { registryOf, type TaskRegistry } from '../task/registry.ts';
import type { Task } from '../task/task.ts';
import type { StartChild } from '../worker/isolate/task-child.ts';
import { hookFor, type Nemesis } from './faults.ts';
import type { History, LifeEvent } from './history.ts';
import { ProcessEnd } from './process-end.ts';
import { SimulatedChild } from './simulated-child.ts';

/** What a simulated process is made with. */
export interface ProcessParts {
  readonly clock: Clock;
  readonly nemesis: Nemesis;
  readonly history: History;
  readonly role: LifeEvent['role'];
  /** The invocation is killed after this time. */
  readonly seconds: number;
  /** A process that the nemesis leaves alone. @default false */
  readonly safe?: boolean;
}

/** One invocation's process: it can be killed, stand still, and have its clock set, at any await of a call and at any timer. */
export class SimulatedProcess {
  readonly event: LifeEvent;
  /** The process's own clock. */
  readonly clock: Clock;
  /** Milliseconds since the epoch on its own clock when the invocation ends. */
  readonly deadline: number;
  /** Resolves when it was killed. */
  readonly killed: Promise<void>;
  readonly faults: FaultHook;
  readonly #parts: ProcessParts;
  readonly #die: () => void;
  #state: 'runs' | 'stands still' | 'is dead' = 'runs';
  #thawed = Promise.resolve();
  #skewMs = 0;

  constructor(parts: ProcessParts) {
    const { clock, nemesis, history, role } = parts;
    this.#parts = parts;
    this.event = { id: history.lives.length, role, startedAt: clock.now(), frozen: [], faults: [], chunks: new Map() };
    history.lives.push(this.event);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.killed = promise;
    this.#die = resolve;
    this.clock = {
      now: () => clock.now() + this.#skewMs,
      after: (delayMs, callback) => clock.after(delayMs, () => this.#whenAwake(callback)),
    };
    const fate = parts.safe === true ? {} : nemesis.fateOfProcess();
    const seconds = Math.min(parts.seconds, fate.seconds ?? parts.seconds);
    if (fate.seconds !== undefined) nemesis.note('deadline', this.event.id);
    this.deadline = clock.now() + 1_000 * seconds;
    clock.after(1_000 * seconds, () => this.#runOut());
    if (fate.killAfterMs !== undefined) this.#later(fate.killAfterMs, 'kill', () => this.kill());
    if (fate.freeze !== undefined) {
      const { afterMs, forMs } = fate.freeze;
      this.#later(afterMs, 'freeze', () => this.#freeze(forMs));
    }
    if (fate.jump !== undefined) {
      const { afterMs, byMs } = fate.jump;
      this.#later(afterMs, 'clock-jump', () => {
        this.#skewMs += byMs;
      });
    }
    const kill = (when: 'before' | 'after'): void => {
      // `after`: the call takes effect in this turn, and nobody learns of it.
      if (when === 'before') this.kill();
      else queueMicrotask(() => this.kill());
    };
    this.faults =
      parts.safe === true
        ? (call) => (call.service === 'lambda' ? undefined : undefined)
        : hookFor(nemesis, { id: this.event.id, kill });
  }

  get isDead(): boolean {
    return this.#state === 'is dead';
  }

  /** Ends the process: none of its timers runs again, and none of its calls is answered. */
  kill(): void {
    if (this.#state === 'is dead' || this.event.endedAt !== undefined) return;
    this.#state = 'is dead';
    this.event.killedAt = this.#parts.clock.now();
    this.#die();
  }

  #runOut(): void {
    if (this.event.endedAt === undefined && !this.isDead) this.event.ranOut = true;
    this.kill();
  }

  /** The invocation has ended by itself. */
  end(): void {
    this.event.endedAt ??= this.#parts.clock.now();
  }

  /** A port or other object whose methods are answered only while the process lives. */
  guard<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          const answer: unknown = this.isDead ? this.#never() : Reflect.apply(value, target, given);
          if (answer instanceof Promise) return this.#hold(answer);
          return isStream(answer) ? this.#holdStream(answer) : answer;
        };
      },
    });
  }

  /** The tasks as they run in this process: each attempt is written down, and none ends in a dead one. */
  tasks(tasks: Readonly<Record<string, Task>>): TaskRegistry {
    return this.#recordedAll(tasks, () => this.kill());
  }

  /** Starts a child in which the tasks run; a task that ends its process ends the child. */
  startChild(tasks: Readonly<Record<string, Task>>, log: Log): StartChild {
    return (onRejection) =>
      new SimulatedChild({
        clock: this.#parts.clock,
        log,
        onRejection,
        tasks: (end) => this.#recordedAll(tasks, end),
      });
  }

  #recordedAll(tasks: Readonly<Record<string, Task>>, end: () => void): TaskRegistry {
    const recorded = Object.entries(tasks).map(([name, task]) => [name, this.#recorded(task, end)] as const);
    return registryOf(Object.fromEntries(recorded));
  }

  #recorded(task: Task, end: () => void): Task {
    const { history, clock, nemesis } = this.#parts;
    return {
      ...task,
      run: async (item, context) => {
        if (this.isDead) return this.#never();
        const { idempotencyKey } = context;
        const [jobId = '', index = ''] = idempotencyKey.split('/');
        const call = {
          jobId,
          index: Number(index),
          pass: history.passOf(idempotencyKey, this.event),
          idempotencyKey,
          attempt: context.attempt,
          life: this.event.id,
          startedAt: clock.now(),
        } as History['calls'][number];
        history.calls.push(call);
        const ended = (how: 'returned' | 'threw'): void => {
          if (this.isDead) return;
          call.endedAt = clock.now();
          call.end = how;
        };
        return this.#hold(
          task.run(item, context).then(
            (value) => {
              ended('returned');
              return value;
            },
            (error: unknown) => {
              if (error instanceof ProcessEnd && !this.isDead) {
                call.end = 'ended its process';
                nemesis.note('poison', this.event.id);
                end();
                return this.#never();
              }
              ended('threw');
              throw error;
            },
          ),
        );
      },
    };
  }

  #later(afterMs: number, kind: string, act: () => void): void {
    const { clock, nemesis } = this.#parts;
    clock.after(afterMs, () => {
      if (this.isDead || this.event.endedAt !== undefined) return;
      nemesis.note(kind, this.event.id);
      act();
    });
  }

  #freeze(forMs: number): void {
    const { clock, nemesis } = this.#parts;
    const now = clock.now();
    this.#state = 'stands still';
    this.event.frozen.push({ from: now, to: now + forMs });
    this.#thawed = new Promise((resolve) => {
      clock.after(forMs, () => {
        if (this.#state === 'stands still') this.#state = 'runs';
        if (!this.isDead && this.event.endedAt === undefined) nemesis.note('thaw', this.event.id);
        resolve();
      });
    });
  }

  #whenAwake(act: () => void): void {
    if (this.#state === 'runs') act();
    else if (this.#state === 'stands still') void this.#thawed.then(() => this.#whenAwake(act));
  }

  /** Answers reach a process only while it runs. */
  async #hold<Value>(answer: Promise<Value>): Promise<Value> {
    try {
      return await answer;
    } finally {
      await this.#awake();
    }
  }

  async *#holdStream(source: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const piece of source) {
      await this.#awake();
      yield piece;
    }
  }

  async #awake(): Promise<void> {
    while (this.#state === 'stands still') await this.#thawed;
    if (this.isDead) await this.#never();
  }

  #never(): Promise<never> {
    return new Promise(() => undefined);
  }
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
