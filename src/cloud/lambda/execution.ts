/** How an invocation went. */
export interface Execution {
  /** JSON text of the handler's value, or of the error. */
  readonly payload: string;
  /** Set when the function failed. */
  readonly errorType?: string;
  readonly durationMs: number;
  /** Time to load the handler, on the first invocation of an environment. */
  readonly initMs?: number;
  readonly maxMemoryMb: number;
  /** The process ended instead of answering. */
  readonly died?: boolean;
}
