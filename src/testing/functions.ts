import type { ModelQueue } from '../cloud/model/queue.ts';
import { ModelQueuePort } from '../cloud/model/queue-port.ts';
import type { JobFolder } from '../format/paths.ts';
import { settleDeadLetter } from '../job/dead-letter.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { takeTick } from '../job/take-tick.ts';
import { limits } from '../limits.ts';
import type { Log, Queue, Random, ReceivedMessage } from '../ports.ts';
import type { Task } from '../task/task.ts';
import type { RequestCount } from '../worker/count-requests.ts';
import { toHeldMessage } from '../worker/held-message.ts';
// Loaded by `import()` for jobs that need it: under virtual time nobody waits for a disk.
import '../worker/fail-rest.ts';
import '../worker/look-at-turns.ts';
import '../worker/part-seat.ts';
import { runWorker } from '../worker/worker-loop.ts';
import { type History, placeName } from './history.ts';
import type { SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';
import { bellOf, type WatchedBucket, WatchedStore, workOf } from './watched.ts';

/** What the functions of a simulated stack work with. */
export interface FunctionParts {
  readonly time: VirtualTime;
  readonly history: History;
  readonly random: Random;
  readonly requests: RequestCount;
  readonly tasks: Readonly<Record<string, Task>>;
  readonly workers: number;
  readonly bucket: WatchedBucket;
  readonly workQueue: ModelQueue;
  readonly tickQueue: ModelQueue;
}

/** The product's own functions, each wired to the ports of the process in which it runs; they answer which messages are done. */
export class SimulatedFunctions {
  readonly #parts: FunctionParts;

  constructor(parts: FunctionParts) {
    this.#parts = parts;
  }

  async work(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const log = this.log(process.event.id);
    const held = received.map((message) => toHeldMessage(message, log)).filter((one) => one !== undefined);
    return runWorker(held, { ...this.deps(process), pull: true });
  }

  async tick(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const deps = this.deps(process);
    const until =
      deps.clock.now() + Math.min(limits.turnMs, process.deadline - deps.clock.now() - limits.deadlineMarginMs);
    return this.#each(received, process, (message) => takeTick(deps, message, until));
  }

  async bury(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const deps = this.deps(process);
    return this.#each(received, process, async (message) => {
      await settleDeadLetter(deps, message.body);
      return 'done';
    });
  }

  async #each(
    received: readonly ReceivedMessage[],
    process: SimulatedProcess,
    settle: (message: ReceivedMessage) => Promise<'done' | 'later'>,
  ): Promise<ReadonlySet<string>> {
    const done = new Set<string>();
    for (const message of received) {
      try {
        if ((await settle(message)) === 'done') done.add(message.messageId);
      } catch (error) {
        this.log(process.event.id)('error', 'a message failed and comes back', { error: String(error) });
      }
    }
    return done;
  }

  /** The services as a process sees them: its calls fail as the plan says, and are answered only while it lives. */
  ports(process: SimulatedProcess) {
    const { clock, faults } = process;
    const worldClock = this.#parts.time;
    const queue = (of: ModelQueue): Queue =>
      this.#parts.requests.queue(process.guard<Queue>(new ModelQueuePort({ queue: of, clock: worldClock, faults })));
    const { bucket, history } = this.#parts;
    const model = process.guard(
      new WatchedStore({ bucket, clock: worldClock, faults }, { history, life: process.event.id }),
    );
    const work = queue(this.#parts.workQueue);
    return {
      store: this.#parts.requests.store(model),
      input: this.#parts.requests.input(model),
      workQueue: this.#noting(work, process),
      tickQueue: queue(this.#parts.tickQueue),
      clock,
    };
  }

  /** Writes down which chunks a process receives by itself, and for which seats it rings. */
  #noting(queue: Queue, process: SimulatedProcess): Queue {
    return {
      send: (bodies, options) => {
        const at = this.#parts.time.now() + 1_000 * (options.delaySeconds ?? 0);
        for (const seat of bodies.map(bellOf)) if (seat !== undefined) this.#parts.history.bells.push({ at, seat });
        return queue.send(bodies, options);
      },
      delete: (handle) => queue.delete(handle),
      changeVisibility: (handle, seconds) => queue.changeVisibility(handle, seconds),
      depth: () => queue.depth(),
      receive: async (options) => {
        const received = await queue.receive(options);
        for (const { body } of received) this.takes(process, body);
        return received;
      },
    };
  }

  /** Writes down which chunk a process has received. */
  takes(process: SimulatedProcess, body: string): void {
    const work = workOf(body);
    if (work === undefined) return;
    const { chunks } = process.event;
    const name = placeName(work);
    chunks.set(name, [...(chunks.get(name) ?? []), this.#parts.time.now()]);
  }

  /** What each function needs. */
  deps(process: SimulatedProcess) {
    const ports = this.ports(process);
    const { workers, tasks } = this.#parts;
    return {
      ...ports,
      queue: ports.workQueue,
      tasks: process.tasks(tasks),
      runWorker,
      startChild: process.startChild(tasks, this.log(process.event.id)),
      random: this.#parts.random,
      log: this.log(process.event.id),
      knock: (job: JobFolder) => sendDueTick(ports, job),
      writer: `w${process.event.id}`,
      leaseSeconds: limits.leaseSeconds,
      checkpointMs: limits.checkpointMs,
      deadline: process.deadline,
      stack: { bucket: 'jobs', workers, workerMemoryMb: limits.workerMemoryMb, bundleHash: 'simulated' },
    };
  }

  /** The log of a process; -1 is the stack itself. */
  log(life: number): Log {
    return (level, message, fields = {}) => {
      this.#parts.history.log.push({ at: this.#parts.time.now(), level, message, fields: { life, ...fields } });
    };
  }
}
