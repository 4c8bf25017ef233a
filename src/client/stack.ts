import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import type { Clock, InputReader, ObjectStore, Queue, Random } from '../ports.ts';
import type { TellStored } from './wake.ts';

/** The fan-out function failed: that invocation is over, whatever it has done. */
export class FanOutFailed extends Error {}

/** What reading and steering jobs from outside needs of a stack. */
export interface SteerDeps {
  readonly store: ObjectStore;
  readonly tickQueue: Queue;
  readonly clock: Clock;
  /** Tells what is stored, so that nobody waits for the next look. @default looks go by time */
  readonly tellStored?: TellStored;
  /** Invokes the fan-out function once. @throws UsageError what the function refused; {@link FanOutFailed} */
  invoke(request: FanOutRequest, signal: AbortSignal): Promise<FanOutAnswer>;
}

/** What an upload is stored with, and what ends it. */
export interface UploadOptions {
  readonly signal: AbortSignal;
  /** @default none */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A stack that is there, as the client uses it; each target makes one. */
export interface Stack extends SteerDeps {
  readonly random: Random;
  /** Reads S3 objects that inputs are made of. */
  readonly input: InputReader;
  /** The bucket that holds all jobs. */
  readonly bucket: string;
  /** Workers that run at once. */
  readonly workers: number;
  /** Unfinished jobs that went on when the stack was opened. @default 0 */
  readonly resumed?: number;
  /** What a person should know before a job is started. @default nothing */
  readonly notice?: string;
  /** Whether jobs go on when this process ends. */
  outlivesProcess(): boolean;
  /** Since when a cloud that ends with this process runs, in milliseconds since the epoch. @default no worker of it is known */
  readonly runsSince?: number;
  /** Stores an object from blocks of bytes, all or nothing. */
  upload(key: string, blocks: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<void>;
  /** Closes the connections; where the stack runs in this process, it ends. */
  close(): Promise<void>;
}
