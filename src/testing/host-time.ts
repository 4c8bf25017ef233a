import type { Clock } from '../ports.ts';

/** What a timer function of Node answers: tests of one's own code may `unref` it, or cancel it by `clearTimeout`. */
class HostTimer {
  cancel: () => void = () => undefined;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** One program at a time can own the timers of a process. */
let installed = false;

/** Puts a virtual clock in the place of the process's own time, so that tasks which know nothing of it run on it. The one home of that trick. */
export class HostTime {
  readonly #clock: Clock;
  readonly #setImmediate = globalThis.setImmediate;
  readonly #clearTimeout = globalThis.clearTimeout;
  #hashes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A hash is being made on the process's threads, in real time. */
  get isHashing(): boolean {
    return this.#hashes > 0;
  }

  /** One turn of the host's real loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => void this.#setImmediate(resolve));
  }

  /** Takes over; the answer gives all of it back. @throws Error when another simulation runs in this process */
  install(): () => void {
    if (installed) throw new Error('expected one simulation at a time in a process, got a second; await the first');
    installed = true;
    const clock = this.#clock;
    const startedAt = clock.now();
    const later = (callback: (...given: unknown[]) => void, delayMs = 1, ...given: unknown[]): HostTimer => {
      const timer = new HostTimer();
      timer.cancel = clock.after(Math.max(1, Number(delayMs) || 1), () => callback(...given));
      return timer;
    };
    const repeat = (callback: (...given: unknown[]) => void, delayMs = 1, ...given: unknown[]): HostTimer => {
      const timer = new HostTimer();
      const again = (): void => {
        timer.cancel = clock.after(Math.max(1, Number(delayMs) || 1), () => {
          again();
          callback(...given);
        });
      };
      again();
      return timer;
    };
    const clear = (timer: NodeJS.Timeout | HostTimer | undefined): void => {
      if (timer instanceof HostTimer) timer.cancel();
      // One that was set before goes on in real time.
      else this.#clearTimeout(timer);
    };
    const abortAfter = (delayMs: number): AbortSignal => {
      const controller = new AbortController();
      clock.after(delayMs, () =>
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      );
      return controller.signal;
    };
    const { subtle } = crypto;
    const digest = subtle.digest.bind(subtle);
    const restore = [
      replace(globalThis, 'setTimeout', later),
      replace(globalThis, 'clearTimeout', clear),
      replace(globalThis, 'setInterval', repeat),
      replace(globalThis, 'clearInterval', clear),
      replace(Date, 'now', () => clock.now()),
      replace(performance, 'now', () => clock.now() - startedAt),
      replace(AbortSignal, 'timeout', abortAfter),
      replace(subtle, 'digest', async (...given: Parameters<typeof digest>) => {
        this.#hashes++;
        try {
          return await digest(...given);
        } finally {
          this.#hashes--;
        }
      }),
    ];
    return () => {
      for (const undo of restore) undo();
      installed = false;
    };
  }
}

/** Replaces a property; the answer puts back what was there. */
function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  };
}
