import { changeControl, controlOf } from '../folder/control.ts';
import { estimateCost } from '../folder/cost.ts';
import type { Control } from '../format/control.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { TickRecord } from '../format/tick.ts';
import type { Clock, Log, ObjectStore } from '../ports.ts';
import { type StopTotals, stopOf } from './stops.ts';
import { summarize } from './summarize.ts';

/** Ends a job, lets it pause, or lets it go on behind its canary, when its counts say so. */
export async function stopJob(
  deps: { readonly store: ObjectStore; readonly clock: Clock; readonly log: Log; readonly writer: string },
  manifest: Manifest,
  at: { readonly record: TickRecord; readonly control: Control },
): Promise<void> {
  const { store, clock, log } = deps;
  const { record, control } = at;
  if (control.state !== 'running') return;
  const stop = stopOf(control.table.limits, totalsOf(manifest, record, control));
  if (stop === undefined) return;
  log('info', 'a job came to a stop of its own', { jobId: manifest.jobId, n: record.n, ...stop });
  const by = `turn:${record.n}`;
  await changeControl(
    { store, now: () => clock.now() },
    { job: manifestFolder(manifest), first: controlOf(manifest), by },
    ({ state, passed }) => {
      // Somebody was faster.
      if (state !== 'running' || (stop.kind === 'pass' && passed)) return undefined;
      if (stop.kind === 'pass') return { passed: true };
      return { state: stop.kind === 'end' ? 'cancelled' : 'paused', reason: stop.reason };
    },
  );
}

function totalsOf(manifest: Manifest, record: TickRecord, { passed }: Control): StopTotals {
  const { totals, cut, settledChunks } = record;
  const canaryIsIn = cut.canaryChunks !== undefined && settledChunks >= cut.canaryChunks;
  return {
    ...(cut.done ? { items: cut.items } : {}),
    succeeded: totals.succeeded,
    failed: totals.failed,
    usd: totals.nanoUsd / 1e9 + estimateCost(summarize(manifest, record)).total,
    ...(passed || !canaryIsIn ? {} : { canary: { settled: totals.succeeded + totals.failed, failed: totals.failed } }),
  };
}
