import { expect } from 'vitest';
import { z } from 'zod';
import type { SteerDeps } from '../../src/client/stack.ts';
import { readCut, readSummary } from '../../src/folder/read.ts';
import { readRows } from '../../src/folder/read-rows.ts';
import { reasonOf } from '../../src/format/digest.ts';
import type { Row } from '../../src/format/outcome.ts';
import type { FanOutAnswer, FanOutRequest } from '../../src/format/request.ts';
import type { Summary } from '../../src/format/summary.ts';
import { settleDeadLetter } from '../../src/job/dead-letter.ts';
import { takeTick } from '../../src/job/take-tick.ts';
import { limits } from '../../src/limits.ts';
import type { Log, ObjectStore, Queue, Random } from '../../src/ports.ts';
import { type FanOutDeps, fanOut } from '../../src/start/fan-out.ts';
import { registryOf } from '../../src/task/registry.ts';
import { defineTask, type Task } from '../../src/task/task.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { toHeldMessage } from '../../src/worker/held-message.ts';
import { runWorker } from '../../src/worker/worker-loop.ts';
import { MemoryQueue } from '../support/memory-queue.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestClock } from '../support/test-clock.ts';

/** A logged line. */
interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One invocation of a function: what it needs, and how it may die. */
export interface Life {
  readonly deps: FanOutDeps & SteerDeps & { readonly queue: Queue; readonly pull: boolean };
  /** Ends the process: none of its timers runs again, and none of its calls is answered. */
  die(): void;
  readonly died: Promise<'died'>;
}

/** A task for the tests: what it does stands in its item. */
export const itemSchema = z.looseObject({});

/** Store, queues, and functions of one stack in memory, on one virtual clock. */
export class World {
  readonly clock = new TestClock();
  readonly store = new MemoryStore(this.clock);
  readonly deadLetters = new MemoryQueue(this.clock);
  readonly workQueue: MemoryQueue;
  readonly tickQueue: MemoryQueue;
  readonly random: Random;
  readonly lines: LogLine[] = [];
  /** Tasks by name; set before the first job. */
  tasks: Readonly<Record<string, Task>> = {};
  workers = limits.minWorkers as number;
  /** Odds that an invocation dies on its way, and after how many milliseconds at most. */
  deathOdds = 0;
  deathWithinMs = 20_000;
  /** Odds that a received message comes a second time. */
  duplicateOdds = 0;
  invocationSeconds = limits.workerTimeoutSeconds as number;
  #writers = 0;
  #stopped = false;

  constructor(seed = 1, maxReceiveCount: number = limits.maxReceiveCount) {
    this.random = seededRandom(seed);
    this.workQueue = new MemoryQueue(this.clock, { deadLetters: this.deadLetters, maxReceiveCount });
    this.tickQueue = new MemoryQueue(this.clock, { deadLetters: this.deadLetters, maxReceiveCount });
  }

  readonly log: Log = (level, message, fields = {}) => {
    this.lines.push({ level, message, fields });
  };

  /** A new invocation that ends after `seconds`. */
  invoke(seconds = this.invocationSeconds): Life {
    let isAlive = true;
    const { promise: died, resolve } = Promise.withResolvers<'died'>();
    const never = new Promise<never>(() => undefined);
    const guard = <Target extends object>(target: Target): Target =>
      new Proxy(target, {
        get: (_, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          if (name === 'stream') {
            return (...given: unknown[]) => guardStream(Reflect.apply(value, target, given), () => isAlive);
          }
          return async (...given: unknown[]) => {
            if (!isAlive) return never;
            const answer: unknown = await Reflect.apply(value, target, given);
            return isAlive ? answer : never;
          };
        },
      });
    const clock = {
      now: () => this.clock.now(),
      after: (delayMs: number, callback: () => void) => this.clock.after(delayMs, () => isAlive && callback()),
    };
    const workQueue = guard<Queue>(this.workQueue);
    const deps = {
      store: guard<ObjectStore>(this.store),
      input: guard(this.store),
      workQueue,
      queue: workQueue,
      tickQueue: guard<Queue>(this.tickQueue),
      tasks: registryOf(this.tasks),
      clock,
      random: this.random,
      cpuMs: () => 0,
      log: this.log,
      writer: `w${++this.#writers}`,
      leaseSeconds: limits.leaseSeconds,
      checkpointMs: limits.checkpointMs,
      deadline: this.clock.now() + seconds * 1_000,
      pull: true,
      runWorker,
      invoke: (request: FanOutRequest) => this.ask(request, request.clientToken),
      stack: { bucket: 'jobs', workers: this.workers, workerMemoryMb: limits.workerMemoryMb, bundleHash: 'b' },
    };
    const die = (): void => {
      isAlive = false;
      resolve('died');
    };
    return { deps, die, died };
  }

  /** Asks for a job. The token is a job's id by default, so that nothing has to be looked up. */
  async ask(request: FanOutRequest, token?: string): Promise<FanOutAnswer> {
    const life = this.invoke(limits.fanOutTimeoutSeconds);
    return this.clock.run(fanOut(life.deps, request, token ?? `token ${this.#writers}`));
  }

  /** Polls all queues as Lambda does, until {@link stop}. */
  start(): void {
    for (let poller = 0; poller < this.workers; poller++) void this.#poll(this.workQueue, 1_800, this.#work);
    void this.#poll(this.tickQueue, limits.tickQueueVisibilitySeconds, this.#tick);
    void this.#poll(this.deadLetters, 360, this.#bury);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #poll(
    queue: MemoryQueue,
    visibilitySeconds: number,
    handle: (life: Life, received: Received) => Promise<boolean>,
  ): Promise<void> {
    while (!this.#stopped) {
      const refused = (): Promise<undefined> => this.clock.sleep(1_000).then(() => undefined);
      const taken = await queue.receive({ max: 1, waitSeconds: 5, visibilitySeconds }).catch(refused);
      const received = taken?.[0];
      if (received === undefined) continue;
      if (this.random() < this.duplicateOdds) await queue.send([received.body], { group: 'twin' });
      const life = this.invoke();
      if (this.random() < this.deathOdds) this.clock.after(this.random() * this.deathWithinMs, life.die);
      this.clock.after(this.invocationSeconds * 1_000, life.die);
      const answer = await Promise.race([handle(life, received).catch(() => false), life.died]);
      if (answer === true) await queue.delete(received.receiptHandle).catch(refused);
    }
  }

  readonly #work = async (life: Life, received: Received): Promise<boolean> => {
    const held = toHeldMessage(received, this.log);
    if (held === undefined) return false;
    const acknowledged = await runWorker([held], life.deps);
    return acknowledged.has(received.messageId);
  };

  readonly #tick = async (life: Life, received: Received): Promise<boolean> =>
    (await takeTick(life.deps, received, this.clock.now() + limits.turnMs)) === 'done';

  readonly #bury = async (life: Life, received: Received): Promise<boolean> => {
    await settleDeadLetter(life.deps, received.body);
    return true;
  };

  /** Runs the stack until a job's summary stands. */
  async untilEnd(jobId: string, limitMs = 24 * 3_600_000): Promise<Summary> {
    const ended = async (): Promise<Summary> => {
      while (true) {
        const summary = await readSummary(this.store, jobId);
        if (summary !== undefined) return summary;
        await this.clock.sleep(1_000);
      }
    };
    return this.clock.run(ended(), limitMs);
  }

  async rows(jobId: string): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const chunk of readRows(this.store, jobId)) rows.push(...chunk);
    return rows;
  }

  /** Holds a job that has ended to its promise: one row an item, in order, and a summary that says the same. */
  async expectWhole(jobId: string, items: number): Promise<Row[]> {
    const rows = await this.rows(jobId);
    expect(rows.map((row) => row.index)).toEqual(Array.from({ length: items }, (_, index) => index));
    const summary = await readSummary(this.store, jobId);
    const of = (status: Row['status']): number => rows.filter((row) => row.status === status).length;
    expect(summary?.items).toBe(items);
    expect(summary?.totals).toMatchObject({
      succeeded: of('succeeded'),
      failed: of('failed'),
      cancelled: of('cancelled'),
      attempts: rows.reduce((sum, row) => sum + row.attempts, 0),
      tried: rows.filter((row) => row.attempts > 0).length,
    });
    const codes: Record<string, number> = {};
    for (const row of rows)
      if (row.status === 'failed') codes[reasonOf(row.error)] = (codes[reasonOf(row.error)] ?? 0) + 1;
    expect(summary?.totals.codes).toEqual(codes);
    expect((await readCut(this.store, jobId))?.items).toBe(items);
    return rows;
  }
}

type Received = Awaited<ReturnType<Queue['receive']>>[number];

async function* guardStream(source: AsyncIterable<Uint8Array>, isAlive: () => boolean): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    if (!isAlive()) await new Promise<never>(() => undefined);
    yield piece;
  }
}

/** A task whose calls take the time that `ms` says, and end as `act` says. */
export function slowTask(
  clock: TestClock,
  act: (item: Record<string, unknown>, attempt: number) => unknown,
  options: { readonly timeoutMs?: number; readonly attempts?: number } = {},
) {
  const calls = { running: 0, most: 0, started: [] as Array<{ at: number; key: string; attempt: number }> };
  const task = defineTask({
    description: 'Waits, then does what the test says',
    input: itemSchema,
    example: {},
    ...options,
    run: async (item, { signal, attempt, idempotencyKey }) => {
      calls.started.push({ at: clock.now(), key: idempotencyKey, attempt });
      calls.running++;
      calls.most = Math.max(calls.most, calls.running);
      try {
        await new Promise<void>((resolve, reject) => {
          const forget = clock.after(Number(item['ms'] ?? 100), resolve);
          const stop = (): void => {
            forget();
            reject(signal.reason);
          };
          if (signal.aborted) stop();
          signal.addEventListener('abort', stop, { once: true });
        });
        return act(item, attempt);
      } finally {
        calls.running--;
      }
    },
  });
  return { task, calls };
}
