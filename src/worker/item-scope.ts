import { AsyncLocalStorage } from 'node:async_hooks';
import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import { ownFrame, ownStack } from '../task/own-frame.ts';
import type { Task, TaskContext } from '../task/task.ts';

/** The item that a piece of asynchronous work belongs to. */
export interface ItemScope {
  readonly idempotencyKey: string;
  readonly task: string;
  /** The item did something to its process that nobody handled: it fails by that, whatever it answers. */
  unhandled(error: ItemError): void;
  /** Its attempt has ended: what runs in its scope since may be everybody's, as a socket that it has opened. */
  isOver?: boolean;
}

/** Which item the running code belongs to, through all its awaits and timers. */
export const itemScope = new AsyncLocalStorage<ItemScope>();

/** Where no item's code runs; what an invocation has about it, as a tracer does, is there. */
export type Outside = ReturnType<typeof AsyncLocalStorage.snapshot>;

export const outsideOfItems = (): Outside => AsyncLocalStorage.snapshot();

/**
 * Runs one item in its scope. `itemScope.run` does the same at twice the cost, which is more than that of the item's row: it makes one frame
 * of asynchronous context for the item and one after it, each a copy of the one before.
 */
export function runInScope(
  { scope, outside }: { readonly scope: ItemScope; readonly outside: Outside },
  { task, item, context }: { readonly task: Task; readonly item: unknown; readonly context: TaskContext },
): Promise<unknown> {
  return outside(enter, scope, task, item, context);
}

function enter(scope: ItemScope, task: Task, item: unknown, context: TaskContext): Promise<unknown> {
  itemScope.enterWith(scope);
  return task.run(item, context);
}

/**
 * Charges what happened just now to the item that it belongs to.
 *
 * @returns the item; undefined where nothing tells whose it is.
 */
export function chargeItem(code: string, message: string): ItemScope | undefined {
  const scope = itemScope.getStore();
  scope?.unhandled(strayError(code, message));
  return scope;
}

/** How an item fails by what it did to its process; the message is one of {@link describeStray}. */
export function strayError(code: string, message: string): ItemError {
  const at = ownFrame(message);
  return { code, message, retryable: false, ...(at === undefined ? {} : { at }) };
}

/** What a stray error of the item that runs now says in its row: the task's name and the stack, shortened. */
export function describeStray(what: string, reason: unknown): string {
  const text = ownStack(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
  return `the task "${itemScope.getStore()?.task ?? ''}" ${what}: ${text}`.slice(0, limits.errorMessageCharacters);
}
