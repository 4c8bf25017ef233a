/** The outside world as `core` sees it; `adapters` implement these, tests inject their own. */

/** Time and timers. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `delayMs`; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** A random number from 0 up to, not including, 1. */
export type Random = () => number;

/** An object that was read: its text and the ETag by which it can be replaced. */
export interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** When it was written, and when S3 answered: milliseconds since the epoch by S3's own clock, to the second. Absent where S3 does not say. */
  readonly modifiedAt?: number;
  readonly answeredAt?: number;
}

/** What a HEAD tells. */
export interface ObjectHead {
  readonly bytes: number;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** When a write may happen: only where nothing is, or only over the version with this ETag. */
export type WriteCondition = { readonly ifAbsent: true } | { readonly ifMatch: string };

/** Options of a write. */
export interface PutOptions {
  readonly condition?: WriteCondition;
  /** ASCII values, 2 KB in all. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** S3, as far as a job needs it. Every call rejects with `Error` when S3 cannot be reached. */
export interface ObjectStore {
  /** Resolves to undefined where no object is. */
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** Resolves to the new ETag, or to undefined when the condition did not hold (412). */
  put(key: string, body: string | Uint8Array, options?: PutOptions): Promise<string | undefined>;
  /** Removes an object, or does nothing where none is. */
  delete(key: string): Promise<void>;
  /** Keys under a prefix in byte order, after `startAfter`, at most `limit` (all by default). */
  list(prefix: string, options?: { readonly startAfter?: string; readonly limit?: number }): Promise<readonly string[]>;
}

/** Reads ranges of a job's input, which may be in another bucket. */
export interface InputReader {
  head(input: { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined>;
  /** Streams bytes `start` to `end` (inclusive; to the end by default). @throws UsageError `InvalidInput` when the object is gone or its ETag changed. */
  stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncIterable<Uint8Array>;
}

/** A message that was received. */
export interface ReceivedMessage {
  readonly body: string;
  readonly receiptHandle: string;
  /** SQS's ApproximateReceiveCount, from 1. */
  readonly receiveCount: number;
  readonly messageId: string;
}

/** An SQS queue. */
export interface Queue {
  /** Sends any number of bodies, by tens; rejects when one of them was not taken. */
  send(bodies: readonly string[], options: { readonly group: string; readonly delaySeconds?: number }): Promise<void>;
  receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]>;
  delete(receiptHandle: string): Promise<void>;
  changeVisibility(receiptHandle: string, seconds: number): Promise<void>;
  /** Messages visible, in flight, and delayed, as SQS approximates them. */
  depth(): Promise<number>;
}

/** Writes one structured log line. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
