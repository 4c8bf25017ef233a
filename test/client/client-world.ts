import { Fanloop } from '../../src/client/fanloop.ts';
import type { Stack } from '../../src/client/stack.ts';
import type { FanOutAnswer, FanOutRequest } from '../../src/format/request.ts';
import { limits } from '../../src/limits.ts';
import { fanOut } from '../../src/start/fan-out.ts';
import { slowTask, World } from '../job/world.ts';

/** A stack in memory with one task `t`, and a client on it. */
export class ClientWorld extends World {
  /** Requests that the fan-out function was invoked with. */
  readonly invoked: FanOutRequest[] = [];
  /** Takes the place of an invocation; by default it happens. */
  fault: ((invoke: () => Promise<FanOutAnswer>, n: number) => Promise<FanOutAnswer>) | undefined;
  /** Blocks that were uploaded, as they came. */
  readonly uploaded: number[] = [];
  #runs = false;
  readonly calls: ReturnType<typeof slowTask>['calls'];

  constructor(...given: Parameters<typeof slowTask> extends [unknown, ...infer Rest] ? Rest : never) {
    super();
    const { task, calls } = slowTask(this.clock, ...given);
    this.tasks = { t: task };
    this.calls = calls;
  }

  /** A connection of its own, as another process would have. */
  connect(): Fanloop {
    return new Fanloop(this.stack);
  }

  get stack(): Stack {
    return {
      store: this.store,
      tickQueue: this.tickQueue,
      clock: this.clock,
      random: this.random,
      input: this.store,
      bucket: 'jobs',
      workers: this.workers,
      outlivesProcess: () => true,
      upload: async (key, blocks, { metadata }) => {
        const bodies: Uint8Array[] = [];
        for await (const block of blocks) {
          this.uploaded.push(block.length);
          bodies.push(block);
        }
        await this.store.put(key, Buffer.concat(bodies), metadata === undefined ? {} : { metadata });
      },
      invoke: (request) => {
        this.invoked.push(request);
        const { deps } = super.invoke(limits.fanOutTimeoutSeconds);
        const happen = () => fanOut(deps, request, request.clientToken ?? '');
        return this.fault?.(happen, this.invoked.length) ?? happen();
      },
      close: async () => {},
    };
  }

  /** Runs the workers and moves time until the work has settled. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    if (!this.#runs) this.start();
    this.#runs = true;
    return this.clock.run(work);
  }
}

export const repeat = (count: number, item: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, n) => ({ n, ...item }));
