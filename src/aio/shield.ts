import { type Awaitable, ensureFuture } from './ensure-future.ts';
import { Future } from './loop/future.ts';

/**
 * Awaits something and protects it: cancelling the one who waits does not cancel what it waits for.
 *
 * The one who waits is still cancelled. Keep the task, and await it later, or `run` cancels it at the end. Difference to
 * Python: an async function shielded here is kept alive by its loop.
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = ensureFuture(awaitable);
  if (inner.done()) return inner;
  const outer = new Future<T>(inner.loop);
  const onInner = () => {
    if (outer.done()) {
      // The one who waited has gone; seeing the error here keeps asyncio's rule that it counts as seen.
      if (inner.failed()) inner.exception();
    } else if (inner.cancelled()) {
      outer.cancel();
    } else if (inner.failed()) {
      outer.setException(inner.exception());
    } else {
      outer.setResult(inner.result());
    }
  };
  inner.whenDone(onInner);
  outer.whenDone(() => {
    if (!inner.done()) inner.removeDoneCallback(onInner);
  });
  return outer;
}
