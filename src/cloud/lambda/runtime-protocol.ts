/** What host and runtime say to each other over the child's IPC channel; payloads cross as JSON text. */
import type { GivenPlaces } from './runtime-places.ts';

/** An error as Lambda answers it. */
export interface LambdaError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** Says to a process that was started early which environment it is: all its variables, before its first invocation. */
export interface ToStandby {
  readonly variables: Readonly<Record<string, string>>;
}

/** One invocation. */
export interface ToRuntime {
  readonly requestId: string;
  readonly payload: string;
  /** Milliseconds since the epoch at which the host kills the environment. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  readonly traceHeader: string;
  readonly places: GivenPlaces;
}

/** The handler's value, or why there is none; `ends` says that the environment exits after it. */
export type Answer =
  | { readonly type: 'done'; readonly payload: string }
  | { readonly type: 'failed'; readonly error: LambdaError; readonly ends: boolean };

/** `ready` after the handler is loaded, then one answer an invocation, with the memory that the process holds by then; before it, how few places it keeps. */
export type FromRuntime =
  | { readonly type: 'ready' }
  | { readonly type: 'keeps'; readonly places: number }
  | (Answer & { readonly rssBytes: number });

/** What the runtime writes on stdout and on stderr after the last line of an invocation; no text of a log has a NUL in it. */
export function outputEnd(requestId: string): string {
  return `\0${requestId}\n`;
}
