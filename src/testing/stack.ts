import { FanOutFailed, type SteerDeps } from '../client/stack.ts';
import { type EventSource, openEventSource, type SourceQueue } from '../cloud/model/event-source.ts';
import { withFault } from '../cloud/model/faults.ts';
import type { Delivery } from '../cloud/model/message.ts';
import { ModelQueue } from '../cloud/model/queue.ts';
import { ModelQueuePort } from '../cloud/model/queue-port.ts';
import { ModelStore } from '../cloud/model/store-port.ts';
import type { JobFolder } from '../format/paths.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import { settleDeadLetter } from '../job/dead-letter.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { takeTick } from '../job/take-tick.ts';
import { limits } from '../limits.ts';
import type { Log, Queue, Random, ReceivedMessage } from '../ports.ts';
import { fanOut } from '../start/fan-out.ts';
import { UsageError } from '../task/errors.ts';
import type { Task } from '../task/task.ts';
import { RequestCount } from '../worker/count-requests.ts';
import { toHeldMessage } from '../worker/held-message.ts';
import { runWorker } from '../worker/worker-loop.ts';
import { type FaultPlan, Nemesis } from './faults.ts';
import { History, type LifeEvent, placeName } from './history.ts';
import { SimulatedProcess } from './process.ts';
import { seededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';
import { WatchedBucket, WatchedDeadLetters, WatchedWorkQueue, workOf } from './watched.ts';

/** What a simulated stack is made with. */
export interface StackParts {
  readonly time: VirtualTime;
  readonly seed: number;
  readonly tasks: Readonly<Record<string, Task>>;
  readonly faults: FaultPlan;
  /** @default 2 */
  readonly workers?: number;
}

/** Turns of all jobs that run at once; as deployed. */
const turnsAtOnce = 2;

/** Bucket, queues, functions, and mappings of one deployed stack, on the model of the cloud: the functions are the product's own. */
export class SimulatedStack {
  readonly history = new History();
  readonly bucket: WatchedBucket;
  readonly workQueue: ModelQueue;
  readonly tickQueue: ModelQueue;
  readonly deadLetters: ModelQueue;
  readonly random: Random;
  /** What the functions, and those who follow jobs, ask of S3 and SQS; Lambda's own polling is not in it. */
  readonly requests = new RequestCount();
  readonly #parts: StackParts;
  readonly #nemesis: Nemesis;
  readonly #mappings: EventSource[] = [];
  #closed = false;

  constructor(parts: StackParts) {
    const { time, seed } = parts;
    this.#parts = parts;
    this.random = seededRandom(seed);
    // Faults have numbers of their own, so that a change of the product's does not change what befalls it more than it must.
    const chance = seededRandom(seed ^ 0x5eed);
    this.#nemesis = new Nemesis(parts.faults, { random: chance, clock: time, history: this.history });
    let ids = 0;
    const queueParts = { clock: time, newId: () => `id${++ids}`, random: chance };
    const retentionSeconds = limits.retentionDays * 86_400;
    this.bucket = new WatchedBucket(time, this.history);
    this.deadLetters = new WatchedDeadLetters(
      queueParts,
      { retentionSeconds, visibilitySeconds: limits.deadLetterQueueVisibilitySeconds },
      this.history,
    );
    const redrive = { deadLetters: this.deadLetters, maxReceiveCount: limits.maxReceiveCount };
    this.workQueue = new WatchedWorkQueue(
      queueParts,
      { retentionSeconds, redrive, visibilitySeconds: limits.visibilityTimeouts * limits.workerTimeoutSeconds },
      { bucket: this.bucket, history: this.history },
    );
    this.tickQueue = new ModelQueue('ticks', queueParts, {
      retentionSeconds,
      redrive,
      visibilitySeconds: limits.tickQueueVisibilitySeconds,
    });
  }

  /** Starts the event source mappings, and what befalls the queues. */
  start(): void {
    const { workers = limits.minWorkers, time } = this.#parts;
    this.#map('worker', this.workQueue, { batchSize: 1, maximumConcurrency: workers }, (received, life) =>
      this.#work(received, life),
    );
    this.#map('tick', this.tickQueue, { batchSize: 1, maximumConcurrency: turnsAtOnce }, (received, life) =>
      this.#tick(received, life),
    );
    this.#map('dead-letter', this.deadLetters, { batchSize: 10, maximumConcurrency: turnsAtOnce }, (received, life) =>
      this.#bury(received, life),
    );
    const purgeAfterMs = this.#nemesis.purgeAfterMs();
    if (purgeAfterMs === undefined) return;
    time.after(purgeAfterMs, () => {
      this.#nemesis.note('purge', -1);
      this.workQueue.purge();
    });
  }

  /** Stops to receive; what runs is left alone. */
  close(): void {
    this.#closed = true;
    for (const mapping of this.#mappings) void mapping.close();
  }

  /** What a client has of the stack: its own calls fail as the plan says, and the fan-out may die under it. */
  client(): SteerDeps {
    const process = this.#process('client', { seconds: 7 * 86_400, safe: true });
    const { store, tickQueue } = this.#ports(process);
    return {
      store,
      tickQueue,
      clock: process.clock,
      invoke: (request) => this.#invoke(request),
    };
  }

  async #invoke(request: FanOutRequest): Promise<FanOutAnswer> {
    const { time } = this.#parts;
    const process = this.#process('fan-out', { seconds: limits.fanOutTimeoutSeconds });
    const call = { service: 'lambda', operation: 'invoke', target: 'fan-out' } as const;
    const hook = (): ReturnType<typeof process.faults> => this.#nemesis.fateOfCall(call, process.event.id).fault;
    return withFault({ hook, clock: time, call }, async () => {
      const deps = this.#deps(process);
      const answer = fanOut(deps, request, request.clientToken ?? `token-${process.event.id}`).finally(() =>
        process.end(),
      );
      const died = process.killed.then(() => {
        throw new FanOutFailed('the fan-out function failed: Runtime.ExitError');
      });
      try {
        return await Promise.race([answer, died]);
      } catch (error) {
        if (error instanceof UsageError || error instanceof FanOutFailed) throw error;
        throw new FanOutFailed(`the fan-out function failed: ${String(error)}`, { cause: error });
      }
    });
  }

  #map(
    role: LifeEvent['role'],
    queue: ModelQueue,
    settings: { readonly batchSize: number; readonly maximumConcurrency: number },
    handle: (received: readonly ReceivedMessage[], process: SimulatedProcess) => Promise<ReadonlySet<string>>,
  ): void {
    const { time } = this.#parts;
    const seconds = { worker: limits.workerTimeoutSeconds, tick: limits.tickTimeoutSeconds }[role as string];
    this.#mappings.push(
      openEventSource({
        mapping: { logicalId: role, windowSeconds: 0, reportsBatchItemFailures: true, ...settings },
        clock: time,
        queue: this.#source(queue),
        target: {
          stopsRecursion: () => false,
          log: (line) => this.#log(-1)('warn', line),
          invoke: async (payload) => {
            const process = this.#process(role, { seconds: seconds ?? limits.deadLetterTimeoutSeconds });
            const received = (JSON.parse(payload) as { Records: ReceivedRecord[] }).Records.map(fromRecord);
            for (const { body } of received) this.#takes(process, body);
            const handled = handle(received, process).then(
              (done) => {
                const failures = received.filter(({ messageId }) => !done.has(messageId));
                return {
                  payload: JSON.stringify({
                    batchItemFailures: failures.map(({ messageId }) => ({ itemIdentifier: messageId })),
                  }),
                };
              },
              (error: unknown) => ({ payload: 'null', errorType: String(error) }),
            );
            const died = process.killed.then(() => ({ payload: 'null', errorType: 'Runtime.ExitError' }));
            const answer = await Promise.race([handled, died]);
            if (!process.isDead) process.end();
            return answer;
          },
        },
      }),
    );
  }

  /** The side of a mapping that polls: AWS's own, which the nemesis leaves alone but for the duplicates it gives. */
  #source(queue: ModelQueue): SourceQueue {
    return {
      receive: async (max) =>
        this.#closed ? [] : queue.receive({ max }).map((delivery) => this.#delivered(queue, delivery)),
      whenReady: (signal) => queue.readiness.whenReady(signal).catch(() => undefined),
      delete: async (records) => {
        for (const { receiptHandle } of records) queue.delete(receiptHandle);
      },
      discard: async () => undefined,
    };
  }

  #delivered(queue: ModelQueue, delivery: Delivery) {
    const { messageId, receiptHandle, body, receiveCount } = delivery;
    const afterMs = this.#nemesis.duplicates();
    if (afterMs !== undefined) {
      this.#parts.time.after(afterMs, () => {
        this.#nemesis.note(
          'duplicate',
          -1,
          workOf(body) === undefined ? 'tick' : placeName(workOf(body) ?? { part: 0, chunk: 0 }),
        );
        queue.changeVisibility(receiptHandle, 0);
      });
    }
    return {
      messageId,
      receiptHandle,
      body,
      attributes: { ApproximateReceiveCount: String(receiveCount) },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: queue.name,
      awsRegion: 'us-east-1',
    } as const;
  }

  async #work(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const log = this.#log(process.event.id);
    const held = received.map((message) => toHeldMessage(message, log)).filter((one) => one !== undefined);
    return runWorker(held, { ...this.#deps(process), pull: true });
  }

  async #tick(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const deps = this.#deps(process);
    const until =
      deps.clock.now() + Math.min(limits.turnMs, process.deadline - deps.clock.now() - limits.deadlineMarginMs);
    return this.#each(received, process, (message) => takeTick(deps, message, until));
  }

  async #bury(received: readonly ReceivedMessage[], process: SimulatedProcess): Promise<ReadonlySet<string>> {
    const deps = this.#deps(process);
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
        this.#log(process.event.id)('error', 'a message failed and comes back', { error: String(error) });
      }
    }
    return done;
  }

  #process(role: LifeEvent['role'], options: { readonly seconds: number; readonly safe?: boolean }): SimulatedProcess {
    const { time: clock } = this.#parts;
    return new SimulatedProcess({ clock, nemesis: this.#nemesis, history: this.history, role, ...options });
  }

  #ports(process: SimulatedProcess) {
    const { clock, faults } = process;
    const worldClock = this.#parts.time;
    const queue = (of: ModelQueue): Queue =>
      this.requests.queue(process.guard<Queue>(new ModelQueuePort({ queue: of, clock: worldClock, faults })));
    const model = process.guard(new ModelStore({ bucket: this.bucket, clock: worldClock, faults }));
    const work = queue(this.workQueue);
    return {
      store: this.requests.store(model),
      input: this.requests.input(model),
      workQueue: this.#noting(work, process),
      tickQueue: queue(this.tickQueue),
      clock,
    };
  }

  /** Writes down which chunks a process receives by itself. */
  #noting(queue: Queue, process: SimulatedProcess): Queue {
    return {
      send: (...given) => queue.send(...given),
      delete: (handle) => queue.delete(handle),
      changeVisibility: (handle, seconds) => queue.changeVisibility(handle, seconds),
      depth: () => queue.depth(),
      receive: async (options) => {
        const received = await queue.receive(options);
        for (const { body } of received) this.#takes(process, body);
        return received;
      },
    };
  }

  #takes(process: SimulatedProcess, body: string): void {
    const work = workOf(body);
    if (work === undefined) return;
    const { chunks } = process.event;
    const name = placeName(work);
    chunks.set(name, [...(chunks.get(name) ?? []), this.#parts.time.now()]);
  }

  #deps(process: SimulatedProcess) {
    const ports = this.#ports(process);
    const { workers = limits.minWorkers, tasks } = this.#parts;
    return {
      ...ports,
      queue: ports.workQueue,
      tasks: process.tasks(tasks),
      startChild: process.startChild(tasks, this.#log(process.event.id)),
      random: this.random,
      log: this.#log(process.event.id),
      knock: (job: JobFolder) => sendDueTick(ports, job),
      writer: `w${process.event.id}`,
      leaseSeconds: limits.leaseSeconds,
      checkpointMs: limits.checkpointMs,
      deadline: process.deadline,
      stack: { bucket: 'jobs', workers, workerMemoryMb: limits.workerMemoryMb, bundleHash: 'simulated' },
    };
  }

  #log(life: number): Log {
    return (level, message, fields = {}) => {
      this.history.log.push({ at: this.#parts.time.now(), level, message, fields: { life, ...fields } });
    };
  }
}

interface ReceivedRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

function fromRecord({ messageId, receiptHandle, body, attributes }: ReceivedRecord): ReceivedMessage {
  return { messageId, receiptHandle, body, receiveCount: Number(attributes.ApproximateReceiveCount) };
}
