import type { Row } from '../format/outcome.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { ItemRun } from './item-run.ts';
import { noAbout } from './open-message.ts';

/** Writes the row of an item whose last attempt has ended; what it did to its process fails it, whatever it answered. */
export function settleOutcome(
  run: ItemRun,
  outcome: Extract<AttemptOutcome, { readonly kind: 'succeeded' | 'failed' }>,
  at: number,
): void {
  const { index, about, attempts, callMs, fault } = run;
  const { durationMs } = outcome;
  run.isSettled = true;
  if (fault === undefined && outcome.kind === 'succeeded') {
    // By name where there is nothing to copy: it is made for nearly every item.
    const row: Row =
      about === noAbout
        ? { index, status: 'succeeded', value: undefined, attempts, durationMs, at }
        : { index, ...about, status: 'succeeded', value: undefined, attempts, durationMs, at };
    run.chunk.settle(row, { json: outcome.json, bytes: outcome.bytes, callMs });
    return;
  }
  const error = fault ?? (outcome.kind === 'failed' ? outcome.error : undefined);
  if (error === undefined) throw new Error('expected an outcome that has failed');
  run.chunk.settle(
    { index, ...about, status: 'failed', error, attempts, durationMs, at },
    { bytes: error.message.length, callMs },
  );
}

/** Writes the row of an item that is not tried any more because its job was cancelled. */
export function settleCancelled(run: ItemRun): void {
  const { chunk, index, about, attempts, callMs } = run;
  run.isSettled = true;
  chunk.settle({ index, ...about, status: 'cancelled', attempts }, { bytes: 0, callMs });
}
