import type { Clock } from '../../ports.ts';
import { type EventRecord, settledRecords, takeBatch } from './event-source-batch.ts';

/** The settings of a mapping, as AWS::Lambda::EventSourceMapping has them. */
export interface MappingSettings {
  readonly logicalId: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Invocations at once; AWS makes at most 1,000 where the template says nothing. */
  readonly maximumConcurrency: number;
  readonly reportsBatchItemFailures: boolean;
}

/** The queue of a mapping. */
export interface SourceQueue {
  /** Takes up to `max` visible messages; they come back after the queue's visibility timeout unless they are deleted. */
  receive(max: number): Promise<readonly EventRecord[]>;
  /** Resolves when a message is visible, or when the signal is aborted. */
  whenReady(signal: AbortSignal): Promise<void>;
  delete(records: readonly EventRecord[]): Promise<void>;
  /** Moves messages to the dead-letter queue, or deletes them where the queue has none. */
  discard(records: readonly EventRecord[]): Promise<void>;
  /** Shows messages again soon whose invocation's process died; AWS has no such thing. @default they come back by their visibility */
  release?(records: readonly EventRecord[]): void;
}

/**
 * The places that an invocation holds among those of its mapping, which are as many as it makes invocations at once. On AWS each has
 * one. Where one process is enough for the work of several, the first invocation has all, and leaves to others what it cannot use.
 */
export interface InvocationPlaces {
  readonly held: number;
  /** It keeps so many when its loop is busy: with fewer, there would be more busy processes than processors. */
  readonly least: number;
  /** Leaves all but `count` to other invocations. */
  keep(count: number): void;
}

/** The function of a mapping. */
export interface TargetFunction {
  /** Resolves to undefined when the invocation is throttled. */
  invoke(
    payload: string,
    traceHeaders: ReadonlyArray<string | undefined>,
    places: InvocationPlaces,
  ): Promise<{ readonly payload: string; readonly errorType?: string; readonly died?: boolean } | undefined>;
  /** Whether the message belongs to a chain of invocations that has to end. */
  stopsRecursion(traceHeader: string | undefined): boolean;
  log(line: string): void;
}

/** What a mapping connects. */
export interface EventSourceOptions {
  readonly mapping: MappingSettings;
  readonly queue: SourceQueue;
  readonly target: TargetFunction;
  readonly clock: Clock;
  /** Processors of the machine, where an invocation can hold several places. @default each holds one */
  readonly processors?: number;
}

/** A mapping that polls. */
export interface EventSource {
  /** Stops to receive and resolves when no invocation of the mapping runs. */
  close(): Promise<void>;
}

/** ReceiveMessage gives at most ten. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const maxReceived = 10;
/** Lambda starts with five batches at once and adds up to 300 a minute. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const firstConcurrency = 5;
const rampStepMs = 200;

/** Starts to poll a queue for a function: one loop that receives, and as many invocations at once as the mapping may have. */
export function openEventSource(options: EventSourceOptions): EventSource {
  const { mapping, queue, target, clock, processors } = options;
  const stop = new AbortController();
  const running = new Map<Promise<void>, InvocationPlaces>();
  let isPacked = processors !== undefined;
  let busySince = 0;
  let freed = Promise.withResolvers<void>();

  const allowed = (): number => {
    const ramp = Math.floor((clock.now() - busySince) / rampStepMs);
    return Math.min(mapping.maximumConcurrency, firstConcurrency + ramp);
  };
  const taken = (): number => running.values().reduce((sum, { held }) => sum + held, 0);
  const whenFree = async (): Promise<void> => {
    while (taken() >= allowed() && !stop.signal.aborted) {
      freed = Promise.withResolvers();
      // Below the mapping's own limit the ramp opens the next place, above it only an invocation that ends or leaves some does.
      const cancel = taken() < mapping.maximumConcurrency ? clock.after(rampStepMs, freed.resolve) : undefined;
      await freed.promise;
      cancel?.();
    }
  };
  const run = (batch: readonly EventRecord[]): void => {
    if (running.size === 0) busySince = clock.now();
    const places = placesFor(isPacked ? mapping.maximumConcurrency - taken() : 1);
    const invocation = process(batch, places).finally(() => {
      running.delete(invocation);
      freed.resolve();
    });
    running.set(invocation, places);
  };
  const placesFor = (given: number): InvocationPlaces => {
    let held = given;
    return {
      get held() {
        return held;
      },
      least: Math.ceil(mapping.maximumConcurrency / (processors ?? 1)),
      keep: (count) => {
        held = Math.max(1, Math.min(held, count));
        freed.resolve();
      },
    };
  };
  const process = async (batch: readonly EventRecord[], places: InvocationPlaces): Promise<void> => {
    try {
      // Who dies with the work of several would take it along again.
      if (await invokeWith(batch, places, options)) isPacked = false;
    } catch (error) {
      // The messages come back by visibility; the loop must go on for the others.
      target.log(`the event source mapping ${mapping.logicalId} failed: ${String(error)}`);
    }
  };
  const poll = async (): Promise<void> => {
    let kept: readonly EventRecord[] = [];
    while (!stop.signal.aborted) {
      await whenFree();
      if (kept.length === 0) await queue.whenReady(stop.signal);
      if (stop.signal.aborted) return;
      const records = await collect(kept);
      const { batch, rest } = takeBatch(records, mapping.batchSize);
      kept = rest;
      if (batch.length > 0) run(batch);
    }
  };
  /** Receives until the batch is full or the window is over; without a window, what one receive gives is the batch. */
  const collect = async (kept: readonly EventRecord[]): Promise<readonly EventRecord[]> => {
    const records = [...kept];
    const window = new AbortController();
    let cancel = (): void => {};
    try {
      while (records.length < mapping.batchSize) {
        const received = await queue.receive(Math.min(maxReceived, mapping.batchSize - records.length));
        if (records.length === 0 && received.length > 0) {
          // The window opens with the first message of the batch.
          cancel = clock.after(mapping.windowSeconds * 1_000, () => window.abort());
        }
        records.push(...received);
        if (mapping.windowSeconds === 0 || records.length === 0 || records.length >= mapping.batchSize) break;
        await queue.whenReady(AbortSignal.any([window.signal, stop.signal]));
        if (window.signal.aborted || stop.signal.aborted) break;
      }
      return records;
    } finally {
      cancel();
    }
  };

  const polling = poll().catch((error: unknown) => {
    if (!stop.signal.aborted) target.log(`the event source mapping ${mapping.logicalId} ended: ${String(error)}`);
  });
  return {
    close: async () => {
      stop.abort();
      freed.resolve();
      await polling;
      await Promise.all(running.keys());
    },
  };
}

/** @returns whether the invocation's process has died */
async function invokeWith(
  batch: readonly EventRecord[],
  places: InvocationPlaces,
  options: EventSourceOptions,
): Promise<boolean> {
  const { mapping, queue, target } = options;
  const recursive = batch.filter(({ attributes }) => target.stopsRecursion(attributes['AWSTraceHeader']));
  if (recursive.length > 0) {
    target.log(`RecursiveInvocationException: ${recursive.length} messages of a recursive loop are not delivered`);
    await queue.discard(recursive);
  }
  const records = batch.filter((record) => !recursive.includes(record));
  if (records.length === 0) return false;
  const traceHeaders = records.map(({ attributes }) => attributes['AWSTraceHeader']);
  const execution = await target.invoke(JSON.stringify({ Records: records }), traceHeaders, places);
  if (execution === undefined) return false;
  const { died = false } = execution;
  if (died) queue.release?.(records);
  const settled = settledRecords(records, {
    payload: execution.payload,
    reportsBatchItemFailures: mapping.reportsBatchItemFailures,
    ...(execution.errorType !== undefined && { errorType: execution.errorType }),
  });
  if (settled.length > 0) await queue.delete(settled);
  return died;
}
