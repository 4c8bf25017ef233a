import type { Clock, Queue, ReceivedMessage } from '../../ports.ts';
import { type FaultHook, withFault } from './faults.ts';
import { bodyProblem } from './message-body.ts';
import type { ModelQueue } from './queue.ts';

/** What a work or tick queue is on the model. */
export interface QueuePortParts {
  readonly queue: ModelQueue;
  readonly clock: Clock;
  readonly faults?: FaultHook;
}

/** The port of a queue, on a queue of the model. */
export class ModelQueuePort implements Queue {
  readonly #parts: QueuePortParts;

  constructor(parts: QueuePortParts) {
    this.#parts = parts;
  }

  send(bodies: readonly string[], options: { readonly group: string; readonly delaySeconds?: number }): Promise<void> {
    const { group, delaySeconds = 0 } = options;
    requireRange('a delay', delaySeconds, 900);
    const send = (some: readonly string[]): void => {
      const problems = some.map((body) => bodyProblem(body));
      for (const [n, body] of some.entries())
        if (problems[n] === undefined) this.#parts.queue.send({ body, group, delaySeconds });
      const problem = problems.find((one) => one !== undefined);
      if (problem !== undefined)
        throw new Error(`expected SQS to take a message, got a body that is refused: ${problem}`);
    };
    const half = (): void => send(bodies.slice(0, Math.floor(bodies.length / 2)));
    return this.#call('send', () => send(bodies), { mayDrop: true, half });
  }

  receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]> {
    const { max, waitSeconds, visibilitySeconds } = options;
    requireRange('a visibility', visibilitySeconds, 43_200);
    requireRange('a wait', waitSeconds, 20);
    if (!Number.isInteger(max) || max < 1 || max > 10)
      throw new Error(`expected to receive 1 to 10 messages, got ${max}`);
    return this.#call('receive', () => this.#receive({ max, waitSeconds, visibilitySeconds }));
  }

  delete(receiptHandle: string): Promise<void> {
    return this.#call('delete', () => this.#parts.queue.delete(receiptHandle));
  }

  changeVisibility(receiptHandle: string, seconds: number): Promise<void> {
    requireRange('a visibility', seconds, 43_200);
    return this.#call('changeVisibility', () => {
      const changed = this.#parts.queue.changeVisibility(receiptHandle, seconds);
      if (changed !== 'changed') throw new Error(`expected a message in flight, got one that is ${changed}`);
    });
  }

  depth(): Promise<number> {
    return this.#call('depth', () => {
      const { visible, inFlight, delayed } = this.#parts.queue.counts();
      return visible + inFlight + delayed;
    });
  }

  async #receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]> {
    const { queue, clock } = this.#parts;
    const over = new AbortController();
    const cancel = clock.after(1_000 * options.waitSeconds, () => over.abort());
    try {
      while (true) {
        const taken = queue.receive(options);
        if (taken.length > 0 || options.waitSeconds === 0 || over.signal.aborted) return taken;
        await queue.readiness.whenReady(over.signal).catch(() => undefined);
      }
    } finally {
      cancel();
    }
  }

  #call<Value>(
    operation: string,
    act: () => Value | Promise<Value>,
    send: { readonly mayDrop?: boolean; readonly half?: () => void } = {},
  ): Promise<Value> {
    const { faults: hook, clock, queue } = this.#parts;
    const call = { service: 'sqs', operation, target: queue.name } as const;
    return withFault({ hook, clock, call, ...send }, act);
  }
}

function requireRange(what: string, seconds: number, most: number): void {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > most)
    throw new Error(`expected ${what} of 0 to ${most} s, got ${seconds}`);
}
