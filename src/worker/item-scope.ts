import { AsyncLocalStorage } from 'node:async_hooks';
import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';

/** The item that a piece of asynchronous work belongs to. */
export interface ItemScope {
  readonly idempotencyKey: string;
  readonly task: string;
  /** A promise of the item's was rejected, and nobody handled it. */
  unhandled(error: ItemError): void;
}

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

/** What a stray error of a task says in a row: the task's name and the stack, shortened. */
export function describeStray(task: string, what: string, reason: unknown): string {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  return `the task "${task}" ${what}: ${text}`.slice(0, limits.errorMessageCharacters);
}
