import { AsyncLocalStorage } from 'node:async_hooks';
import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';

/** The item that a piece of asynchronous work belongs to. */
export interface ItemScope {
  readonly idempotencyKey: string;
  readonly task: string;
  /** A promise of the item's was rejected, and nobody handled it. */
  unhandled(error: ItemError): void;
  /** Ends the attempt; there from when its task has returned a promise until that is settled. */
  stop: ((reason: Error) => void) | undefined;
}

/** The reason of an attempt that was ended because it let nobody else run. */
export class LoopBlocked extends Error {}

/** Which item the running code belongs to, through all its awaits and timers. */
export const itemScope = new AsyncLocalStorage<ItemScope>();

/**
 * Charges an unhandled rejection to the item that it belongs to.
 *
 * @returns false where nothing tells whose it is.
 */
export function chargeRejection(reason: unknown): boolean {
  const scope = itemScope.getStore();
  scope?.unhandled({
    code: 'UnhandledRejection',
    message: describeStray(scope.task, 'rejected a promise that nobody handled', reason),
    retryable: false,
  });
  return scope !== undefined;
}

/** The item whose code runs in this moment. Asked by a thread that has stopped the event loop where it is blocked. */
export const blockedItem = (): string | undefined => itemScope.getStore()?.idempotencyKey;

/** An item that lets nobody else run. */
export interface BlockedItem {
  /** What its row says. */
  readonly message: string;
  /** Whether only code of the item's own stands above the event loop: its task has returned a promise, which is not settled. */
  readonly isOnItsOwn: boolean;
  readonly fail: () => void;
}

/** The item whose code runs in this moment. */
export function failBlocked(ms: number): BlockedItem | undefined {
  const scope = itemScope.getStore();
  if (scope === undefined) return undefined;
  const { stop } = scope;
  const blocked = new LoopBlocked('here');
  const what = `let nobody else run for ${ms / 1_000} s (a task that computes says "thread: true"); it was`;
  const stack = (blocked.stack ?? '').split('\n').slice(1);
  // Above the question stands who answers it.
  const asked = stack.findIndex((line) => line.includes('at eval ('));
  const message = describeStray(scope.task, what, `\n${stack.slice(asked + 1).join('\n')}`);
  blocked.message = message;
  return { message, isOnItsOwn: stop !== undefined, fail: () => stop?.(blocked) };
}

/** What a stray error of a task says in a row: the task's name and the stack, shortened. */
export function describeStray(task: string, what: string, reason: unknown): string {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  return `the task "${task}" ${what}: ${text}`.slice(0, limits.errorMessageCharacters);
}
