/** What limits the calls of one job; each has been checked against `limits`. */
export interface JobOptions {
  /** Calls that one worker awaits at once. */
  readonly concurrency: number;
  /** Limit of one attempt. */
  readonly timeoutMs: number;
  /** Tries of an item, the first included. */
  readonly attempts: number;
  /** Whether each item stands in its row. @default false */
  readonly withItem?: boolean;
}

/** How the bytes of an input are items: one JSON value a line, the line itself as a text, or a line with an item and its key. */
export type InputFormat = 'ndjson' | 'lines' | 'entries';

/** A job's input: one object, fixed by its ETag. */
export interface JobInput {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly format: InputFormat;
}

/** What was asked: `manifest.json`, written once, first of all. */
export interface Manifest {
  readonly v: 1;
  readonly jobId: string;
  readonly task: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly bundle: string;
  readonly input: JobInput;
  readonly options: JobOptions;
  readonly workers: number;
  readonly workerMemoryMb: number;
  /** The fan-out runs the job itself, as the worker of its only chunk. */
  readonly inline: boolean;
  /** SHA-256 of the request, so that another request under the same client token is noticed. */
  readonly request: string;
}

/** What somebody wants of a running job: `control.json`, replaced under If-Match. */
export interface Control {
  readonly state: 'running' | 'cancelled';
  readonly revision: number;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
}
