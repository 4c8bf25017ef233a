import type { SteerDeps } from '../client/steer.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import type { TargetName } from './target-options.ts';

/** A cloud with the stack in it, as the commands use it. */
export interface Target {
  readonly name: TargetName;
  /** The jobs' folders, and the queue that moves them. */
  readonly steer: SteerDeps;
  readonly bucket: string;
  /** Workers that run at once: a property of the stack, and one on LocalStack. */
  readonly workers: number;
  /** Unfinished jobs that went on when the target was opened. @default 0 */
  readonly resumed?: number;
  /** Whether jobs go on when this process ends. */
  outlivesProcess(): boolean;
  /** Stores an object from blocks of bytes, all or nothing. */
  upload(key: string, blocks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void>;
  /** Invokes the fan-out function. @throws UsageError what the function refused */
  startJob(request: FanOutRequest): Promise<FanOutAnswer>;
  close(): Promise<void>;
}

/** How a target is opened. */
export interface OpenOptions {
  /** Whether jobs that were left unfinished go on: reading commands let them rest. */
  readonly resume: boolean;
}
