import { exitCodes } from './exit-codes.ts';

/** The person pressed Ctrl-C (or the system asked the process to end); the message says what became of the work. */
export class Interrupted extends Error {
  constructor(message = 'interrupted') {
    super(message);
    this.name = 'Interrupted';
  }
}

/** Passes `work` on; when it is interrupted, the message says what that means. */
export async function ifInterrupted<Value>(message: () => string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Interrupted ? new Interrupted(message()) : error;
  }
}

/** An interruption that is listened for; `release` gives the signals back. */
export interface Interruption {
  /** Aborted with {@link Interrupted} at the first signal. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Whoever asks a command to end sees it gone after this time. */
const goneMs = 5_000;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Turns the first SIGINT, SIGTERM, or SIGHUP into an abort, so that work can be left in order; a second SIGINT ends the process at once. */
export function listenForInterrupt(): Interruption {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    // Only a person is impatient: the others may come twice, from a supervisor to the group and from the parent.
    if (controller.signal.aborted && name === 'SIGINT') process.exit(exitCodes.interrupted);
    controller.abort(new Interrupted());
    // Whatever hangs, as storing rows on a disk that is gone, is left as a kill would leave it.
    setTimeout(() => process.exit(exitCodes.interrupted), goneMs).unref();
  };
  for (const name of signals) process.on(name, interrupt);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, interrupt);
    },
  };
}
