import { changeControl, controlOf } from '../folder/control.ts';
import type { Control } from '../format/control.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { TickRecord } from '../format/tick.ts';
import type { Clock, Log, ObjectStore } from '../ports.ts';
import type { SeatView } from './bells.ts';
import { brakeAmong } from './brake-among.ts';

/** Gives a limited job the number of seats that a turn decided; what people want of it stays as they want it. */
export async function changeSeats(
  deps: { readonly store: ObjectStore; readonly clock: Clock; readonly log: Log },
  manifest: Manifest,
  at: { readonly record: TickRecord; readonly control: Control; readonly seats: readonly SeatView[] },
): Promise<void> {
  const { store, clock, log } = deps;
  const { seatCount, idle = [], n } = at.record;
  const { table: seen, revision: decidedOn } = at.control;
  if (seatCount === undefined) return;
  const { seats } = seatCount;
  // Who is idle among some seats may not be among more.
  const of = { seats, ...(idle.length > 0 && seats === seen.seats ? { idle } : {}) };
  if (seats === seen.seats && idle.join() === (seen.idle ?? []).join()) return;
  const { jobId } = manifest;
  const perSecond = brakeAmong(at.seats, seen, of);
  log('info', 'the seats of a job change', { jobId, n, from: seen.seats, ...of });
  await changeControl(
    { store, now: () => clock.now() },
    { job: manifestFolder(manifest), first: controlOf(manifest), by: `turn:${n}` },
    // Who steers the job in between may have given it other limits: the next turn decides by those.
    ({ revision, table }) =>
      revision === decidedOn
        ? {
            table: { limits: table.limits, ...of },
            ...(perSecond === undefined ? {} : { brake: { perSecond, revision: revision + 1 } }),
          }
        : undefined,
  );
}
