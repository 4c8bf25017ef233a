import type { ItemError } from '../../format/outcome.ts';
import type { Used } from '../usage.ts';

/** What a child process is asked to do; the item is JSON as the input has it, since the task's schema may be what kills. */
export interface ChildRequest {
  readonly task: string;
  /** The item as JSON text. */
  readonly item: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Names of secrets in braces; the child reads them itself. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a child process answers. */
export type ChildAnswer = { readonly used?: Used } & (
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly error: ItemError; readonly retryAfterMs?: number | undefined }
);

/** How a child process ended. */
export interface ChildEnd {
  readonly error: ItemError;
  /** The idempotency key of the item that ended it, which may have answered before, where it could tell. */
  readonly culprit?: string | undefined;
}

/** What a child says of an item before it answers. */
export interface ToldOfRun {
  /** Nothing of the item has run before: a process that ends without having said so has not ended for this one. */
  readonly taken: () => void;
  /** Its task was called. */
  readonly begun: () => void;
}

/** A process of its own in which items run, each under supervision. */
export interface TaskChild {
  /** Resolves when it has a task, or knows that it has none; never when the process ends before. */
  load(task: string): Promise<void>;
  /** Runs one item; never settles when the process ends before. */
  run(request: ChildRequest, signal: AbortSignal, told: ToldOfRun): Promise<ChildAnswer>;
  /** Resolves when the process has ended and everything that it said was heard. */
  readonly ended: Promise<ChildEnd>;
  /** Ends the process at once. */
  kill(): void;
}

/** Starts a child; `onRejection` hears of an item that did something to its process after it was answered. */
export type StartChild = (onRejection: (idempotencyKey: string, error: ItemError) => void) => TaskChild;

/** To the child. */
export type ToChild =
  | { readonly type: 'load'; readonly task: string }
  | { readonly type: 'run'; readonly id: number; readonly request: ChildRequest }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'ping' };

/** From the child. */
export type FromChild =
  | { readonly type: 'loaded'; readonly task: string }
  | { readonly type: 'pong' }
  | { readonly type: keyof ToldOfRun; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: ChildAnswer }
  | { readonly type: 'rejection'; readonly idempotencyKey: string; readonly error: ItemError }
  | { readonly type: 'fatal'; readonly error: ItemError };
