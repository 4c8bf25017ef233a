import type { JobFolder } from '../format/paths.ts';
import type { Clock, InputReader, Log, ObjectStore, Queue, Random } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';
import type { StartChild } from './isolate/task-child.ts';

/** Of how many workers a worker does the work: it holds their slots. */
export interface Places {
  readonly held: number;
  /** Leaves all but `count` to others. */
  keep(count: number): void;
}

/** What is to be written for a process that cannot any more. */
export interface LastWrite {
  readonly key: string;
  readonly body: Uint8Array;
  /** The ETag of what it replaces. @default it is new */
  readonly ifMatch?: string;
}

/** What writes when a worker's process is about to die, or its loop does not turn. */
export interface Rescue {
  /**
   * @param left asked for what there is to write; `isEnd` where nothing goes on here afterwards
   * @returns how to end it
   */
  watch(left: (isEnd: boolean) => readonly LastWrite[]): () => void;
}

/** What a worker needs of the world. */
export interface WorkerDeps {
  readonly store: ObjectStore;
  readonly input: InputReader;
  readonly queue: Queue;
  readonly tasks: TaskRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Milliseconds of processor time that this thread has used; absent under virtual time, in which nothing computes. */
  readonly cpuMs?: () => number;
  /** Unique to this invocation. */
  readonly writer: string;
  /** How long a message is held before its hold must be renewed. */
  readonly leaseSeconds: number;
  /** How long a message is held without a renewal; longer than the lease where somebody lets go of it when this process dies. @default the lease */
  readonly holdSeconds?: number;
  /** How often rows of an unfinished chunk are stored, in milliseconds. */
  readonly checkpointMs: number;
  /** Starts a process in which suspect items run; absent where the machine has none: then they run here. */
  readonly startChild?: StartChild;
  /** Writes when this process can no more; absent where no process dies of an item. */
  readonly rescue?: Rescue;
  /** Milliseconds since the epoch when the invocation ends. */
  readonly deadline: number;
  /** Makes the next turn of a job due; a failure costs only time. @default the turn comes when it would */
  readonly knock?: (job: JobFolder) => Promise<void>;
  /** Aborted when the machine goes: nothing starts any more, and what does not end soon is handed over. @default never */
  readonly leaving?: AbortSignal;
  /** Whether further messages are received while there are free slots. */
  readonly pull: boolean;
  /** @default its own alone */
  readonly places?: Places;
}
