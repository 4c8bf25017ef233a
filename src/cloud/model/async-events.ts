import type { Clock } from '../../ports.ts';

/** A function that takes events. */
export interface EventTarget {
  readonly description: { readonly name: string; readonly eventRetries: number; readonly eventMaxAgeSeconds: number };
}

/** Events that Lambda has accepted and answers nobody. */
export interface EventQueue<Target extends EventTarget> {
  send(target: Target, payload: string, traceHeader: string | undefined): void;
  /** Drops the events that wait for another try. */
  close(): void;
}

/** What the queue works with. */
export interface EventQueueOptions<Target extends EventTarget> {
  readonly clock: Clock;
  /** Resolves to undefined when the invocation is throttled. */
  readonly invoke: (
    target: Target,
    payload: string,
    traceHeaders: ReadonlyArray<string | undefined>,
  ) => Promise<{ readonly requestId: string; readonly errorType?: string } | undefined>;
  readonly log: (functionName: string, line: string) => void;
  /** @default {@link eventDelaysMs} */
  readonly delaysMs?: readonly number[];
}

/** Lambda tries an event that failed again after one minute, then after two. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
export const eventDelaysMs: readonly number[] = [60_000, 120_000];
/** A throttled event waits 1 s, then twice as long each time up to 5 minutes. */
const throttleBaseMs = 1_000;
const throttleCapMs = 300_000;

/** Opens an empty queue; it lives in memory, so events end with the process, unlike on AWS. */
export function openEventQueue<Target extends EventTarget>(options: EventQueueOptions<Target>): EventQueue<Target> {
  const { clock, log } = options;
  const delays = options.delaysMs ?? eventDelaysMs;
  const waiting = new Set<() => void>();
  let closed = false;

  const later = (delayMs: number, callback: () => void): void => {
    if (closed) return;
    const cancel = clock.after(delayMs, () => {
      waiting.delete(cancel);
      callback();
    });
    waiting.add(cancel);
  };

  return {
    send: (target, payload, traceHeader) => {
      const { name, eventRetries, eventMaxAgeSeconds } = target.description;
      const expiresAt = clock.now() + eventMaxAgeSeconds * 1_000;
      const run = async (failures: number, throttles: number): Promise<void> => {
        const execution = await options.invoke(target, payload, [traceHeader]);
        if (execution !== undefined && execution.errorType === undefined) return;
        const throttled = execution === undefined;
        const delayMs = throttled
          ? Math.min(throttleBaseMs * 2 ** throttles, throttleCapMs)
          : (delays[failures] ?? delays.at(-1) ?? 0);
        if (!throttled && failures >= eventRetries) {
          log(name, `the event of RequestId: ${execution.requestId} is dropped after ${failures + 1} tries`);
        } else if (clock.now() + delayMs > expiresAt) {
          log(name, `an event is dropped since it would be older than ${eventMaxAgeSeconds} s at its next try`);
        } else {
          later(delayMs, () => void run(throttled ? failures : failures + 1, throttled ? throttles + 1 : throttles));
        }
      };
      void run(0, 0);
    },
    close: () => {
      closed = true;
      for (const cancel of waiting) cancel();
      waiting.clear();
    },
  };
}
