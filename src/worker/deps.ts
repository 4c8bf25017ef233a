import type { Clock, InputReader, Log, ObjectStore, Queue, Random } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';

/** What a worker needs of the world. */
export interface WorkerDeps {
  readonly store: ObjectStore;
  readonly input: InputReader;
  readonly queue: Queue;
  readonly tasks: TaskRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Milliseconds of processor time that this thread has used. */
  readonly cpuMs: () => number;
  /** Unique to this invocation. */
  readonly writer: string;
  /** How long a message is held before its hold must be renewed. */
  readonly leaseSeconds: number;
  /** Milliseconds since the epoch when the invocation ends. */
  readonly deadline: number;
  /** Aborted when the machine goes: nothing starts any more, and what does not end soon is handed over. @default never */
  readonly leaving?: AbortSignal;
  /** Whether further messages are received while there are free slots. */
  readonly pull: boolean;
}
