import type { Clock } from '../../ports.ts';
import { sleep } from '../../waiting.ts';

/** A call of a service, as a fault hook sees it. */
export interface ModelCall {
  readonly service: 's3' | 'sqs' | 'lambda';
  /** `get`, `head`, `put`, `list`, `stream`, `send`, `receive`, `delete`, `changeVisibility`, `depth`, `invoke` */
  readonly operation: string;
  /** Key, prefix, or queue name. */
  readonly target: string;
}

/**
 * What goes wrong with one call:
 * `refused`: an error, nothing happened. `lost`: it happened, and its answer is an error. `repeated`: its first answer was lost and the
 * client asked again, so it happened twice and the second answer counts (a conditional write meets itself: 412). `hangs`: no answer
 * ever, and it happened (or not). `partly`: of many things to send some were taken, and the call failed. `dropped`: an answer of success, and nothing happened (of a send only: a queue that was purged).
 */
export type Fault =
  | { readonly kind: 'refused' | 'lost' | 'partly'; readonly error: Error; readonly afterMs?: number }
  | { readonly kind: 'repeated' | 'dropped' }
  | { readonly kind: 'hangs'; readonly applied: boolean }
  | { readonly kind: 'late'; readonly delayMs: number };

/** Asked at every call; undefined lets it pass. */
export type FaultHook = (call: ModelCall) => Fault | undefined;

const forEver = new AbortController().signal;

/** Runs a call that takes effect by `act`, with the fault that the hook wants. */
export async function withFault<Value>(
  at: {
    readonly hook: FaultHook | undefined;
    readonly clock: Clock;
    readonly call: ModelCall;
    readonly mayDrop?: boolean;
    readonly half?: () => void;
  },
  act: () => Value | Promise<Value>,
): Promise<Value> {
  const fault = at.hook?.(at.call);
  if (fault === undefined) return act();
  switch (fault.kind) {
    case 'refused':
    case 'lost':
    case 'partly':
      if (fault.kind === 'lost') await act();
      if (fault.kind === 'partly') at.half?.();
      if (fault.afterMs !== undefined) await sleep(at.clock, fault.afterMs, forEver);
      throw fault.error;
    case 'repeated':
      await act();
      return act();
    case 'dropped':
      // A send answers nothing.
      return at.mayDrop === true ? (undefined as Value) : act();
    case 'hangs':
      if (fault.applied) await act();
      return new Promise<never>(() => undefined);
    case 'late':
      await sleep(at.clock, fault.delayMs, forEver);
      return act();
  }
}
