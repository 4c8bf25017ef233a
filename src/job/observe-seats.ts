import { ageMs, readSeats } from '../folder/seats.ts';
import { type Control, controlFormat } from '../format/control.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { controlKey, type JobFolder } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { ObjectStore } from '../ports.ts';
import type { Observed } from './turn.ts';

/** S3 tells times by whole seconds. */
const secondMs = 1_000;

/** Reads a job's control, and tells whether every worker must have seen it by now. */
export async function lookAtControl(
  store: ObjectStore,
  job: JobFolder,
): Promise<{ readonly control: Control | undefined; readonly isControlSeen: boolean }> {
  const object = await store.get(controlKey(job));
  if (object === undefined) return { control: undefined, isControlSeen: true };
  return {
    control: controlFormat.parse(object.body),
    isControlSeen: ageMs(object) >= limits.raiseAfterMs + secondMs,
  };
}

/** The seats of a limited job as they stand now. */
export async function observeSeats(
  store: ObjectStore,
  manifest: Manifest,
  control: Control,
): Promise<NonNullable<Observed['seats']>> {
  const stored = await readSeats(store, manifestFolder(manifest));
  const seats = stored.map(({ note, freeInMs, ageMs: age }) => ({
    note,
    isFree: freeInMs === 0,
    restMs: note.phase === 'released' ? Math.max(0, Math.max(note.debt.callsMs, note.debt.unitsMs) - age) : 0,
    ...(note.phase === 'released' ? { goneMs: age } : {}),
  }));
  const atWork = seats.filter(({ note, isFree, restMs }) => (!isFree || restMs > 0) && note.seat < control.table.seats);
  return { control, seats, isCalm: atWork.length === control.table.seats, workers: manifest.workers };
}
