import type { RedriveDeps } from '../client/redrive.ts';
import { FanOutFailed, type SteerDeps } from '../client/stack.ts';
import { type EventSource, openEventSource } from '../cloud/model/event-source.ts';
import { withFault } from '../cloud/model/faults.ts';
import { ModelQueue } from '../cloud/model/queue.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import { limits } from '../limits.ts';
import type { Random, ReceivedMessage } from '../ports.ts';
import { fanOut } from '../start/fan-out.ts';
import { UsageError } from '../task/errors.ts';
import type { Task } from '../task/task.ts';
import { RequestCount } from '../worker/count-requests.ts';
import { type FaultPlan, Nemesis } from './faults.ts';
import { SimulatedFunctions } from './functions.ts';
import { History, type LifeEvent } from './history.ts';
import { fromRecord, PolledQueue, type ReceivedRecord } from './polled-queue.ts';
import { SimulatedProcess } from './process.ts';
import { seededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';
import { WatchedBucket, WatchedDeadLetters, WatchedWorkQueue } from './watched.ts';

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
  readonly #functions: SimulatedFunctions;
  readonly #mappings: EventSource[] = [];
  readonly #sources: PolledQueue[] = [];

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
    const { history, random, requests, bucket, workQueue, tickQueue } = this;
    const { tasks, workers = limits.minWorkers } = parts;
    this.#functions = new SimulatedFunctions({
      time,
      history,
      random,
      requests,
      tasks,
      workers,
      bucket,
      workQueue,
      tickQueue,
    });
  }

  /** Starts the event source mappings, and what befalls the queues. */
  start(): void {
    const { workers = limits.minWorkers, time } = this.#parts;
    this.#map('worker', this.workQueue, { batchSize: 1, maximumConcurrency: workers }, (received, life) =>
      this.#functions.work(received, life),
    );
    this.#map('tick', this.tickQueue, { batchSize: 1, maximumConcurrency: turnsAtOnce }, (received, life) =>
      this.#functions.tick(received, life),
    );
    this.#map('dead-letter', this.deadLetters, { batchSize: 10, maximumConcurrency: turnsAtOnce }, (received, life) =>
      this.#functions.bury(received, life),
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
    for (const source of this.#sources) source.close();
    for (const mapping of this.#mappings) void mapping.close();
  }

  /** What a client has of the stack: its own calls fail as the plan says, and the fan-out may die under it. */
  client(): SteerDeps {
    const process = this.#process('client', { seconds: 7 * 86_400, safe: true });
    const { store, tickQueue } = this.#functions.ports(process);
    return {
      store,
      tickQueue,
      clock: process.clock,
      invoke: (request) => this.#invoke(request),
    };
  }

  /** Somebody at a command line, whom the nemesis treats as it treats a function: killed, standing still, their calls refused. */
  person(): { readonly client: RedriveDeps; readonly process: SimulatedProcess } {
    const process = this.#process('client', { seconds: 7 * 86_400 });
    const { store, input, tickQueue, clock } = this.#functions.ports(process);
    const upload: RedriveDeps['upload'] = async (key, blocks) => {
      const body: Uint8Array[] = [];
      for await (const block of blocks) body.push(block);
      await store.put(key, Buffer.concat(body));
    };
    const { random } = this;
    const invoke: SteerDeps['invoke'] = (request) => this.#invoke(request);
    return { client: { store, input, tickQueue, clock, random, bucket: 'jobs', upload, invoke }, process };
  }

  async #invoke(request: FanOutRequest): Promise<FanOutAnswer> {
    const { time } = this.#parts;
    const process = this.#process('fan-out', { seconds: limits.fanOutTimeoutSeconds });
    const call = { service: 'lambda', operation: 'invoke', target: 'fan-out' } as const;
    const hook = (): ReturnType<typeof process.faults> => this.#nemesis.fateOfCall(call, process.event.id).fault;
    return withFault({ hook, clock: time, call }, async () => {
      const deps = this.#functions.deps(process);
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
    const source = new PolledQueue(queue, { nemesis: this.#nemesis, clock: time });
    this.#sources.push(source);
    this.#mappings.push(
      openEventSource({
        mapping: { logicalId: role, windowSeconds: 0, reportsBatchItemFailures: true, ...settings },
        clock: time,
        queue: source,
        target: {
          stopsRecursion: () => false,
          log: (line) => this.#functions.log(-1)('warn', line),
          invoke: async (payload) => {
            const process = this.#process(role, { seconds: seconds ?? limits.deadLetterTimeoutSeconds });
            const received = (JSON.parse(payload) as { Records: ReceivedRecord[] }).Records.map(fromRecord);
            for (const { body } of received) this.#functions.takes(process, body);
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

  #process(role: LifeEvent['role'], options: { readonly seconds: number; readonly safe?: boolean }): SimulatedProcess {
    const { time: clock } = this.#parts;
    return new SimulatedProcess({ clock, nemesis: this.#nemesis, history: this.history, role, ...options });
  }
}
