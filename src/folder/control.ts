import { type Control, controlFormat, controlVersion, firstControl } from '../format/control.ts';
import type { Manifest } from '../format/manifest.ts';
import { controlKey, type JobRef } from '../format/paths.ts';
import { type LimitTable, seatsFor } from '../format/share.ts';
import type { ObjectStore, StoredObject } from '../ports.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { ageMs } from './seats.ts';

/** What a job was asked for with: its control before anybody has wanted anything else. */
export function controlOf(manifest: Manifest): Control {
  return firstControl(tableOf(manifest.options.limits ?? {}, manifest));
}

/** The seats among which limits are shared: one worker carries a job of one chunk, and one that is not limited has no need of them. */
export function tableOf(limits: JobLimits, { workers, inline }: Pick<Manifest, 'workers' | 'inline'>): LimitTable {
  return { limits, seats: needsSeats(limits) && !inline ? seatsFor(limits, workers) : 1 };
}

/** A control as somebody reads it. */
export interface SeenControl {
  readonly control: Control;
  /** For how long it has stood at least, by S3's own clock. */
  readonly ageMs: number;
}

/** Reads a job's control; undefined where nobody has steered it. */
export async function readSeenControl(store: ObjectStore, job: JobRef): Promise<SeenControl | undefined> {
  const object = await store.get(controlKey(job));
  return object === undefined ? undefined : { control: controlFormat.parse(object.body), ageMs: leastAgeMs(object) };
}

/** Whole seconds of S3's clock: too young is safe. */
const leastAgeMs = (object: StoredObject): number => Math.max(0, ageMs(object) - 1_000);

/** How long an old table may matter: a worker's stale look, and an attempt under it. */
const keepBeforeMs = 300_000;

/** How a control is to change; undefined leaves it as it is. */
export type ControlChange = (
  control: Control,
) =>
  | Partial<Pick<Control, 'state' | 'reason' | 'table' | 'passed' | 'generation' | 'hold' | 'brake' | 'twins'>>
  | undefined;

/**
 * Changes a job's control, however many others change it at the same moment: whoever loses reads again and decides again.
 *
 * @returns the control that stands then
 */
export async function changeControl(
  deps: { readonly store: ObjectStore; readonly now: () => number },
  at: { readonly job: JobRef; readonly first: Control; readonly by: string },
  change: ControlChange,
): Promise<Control> {
  const { store, now } = deps;
  const key = controlKey(at.job);
  while (true) {
    const read = await store.get(key);
    const control = read === undefined ? at.first : controlFormat.parse(read.body);
    const wanted = change(control);
    if (wanted === undefined) return control;
    const { brake, ...stands } = control;
    const changed: Control = {
      ...stands,
      // It was for the seats that were at work by that table.
      ...(brake === undefined || wanted.table !== undefined ? {} : { brake }),
      ...wanted,
      v: controlVersion,
      revision: control.revision + 1,
      at: new Date(now()).toISOString(),
      by: at.by,
      before: beforeOf(control, {
        stoodMs: read === undefined ? 0 : leastAgeMs(read),
        replaced: wanted.table !== undefined,
      }),
    };
    const condition = read === undefined ? ({ ifAbsent: true } as const) : { ifMatch: read.etag };
    if ((await store.put(key, controlFormat.encode(changed), { condition })) !== undefined) return changed;
  }
}

/** The tables that may still be in use: each is older by the time for which the control stood, whose own may be replaced now. */
function beforeOf(
  { table, before }: Control,
  { stoodMs, replaced }: { readonly stoodMs: number; readonly replaced: boolean },
): Control['before'] {
  const aged = before.map((old) => ({ ...old, agedMs: old.agedMs + stoodMs }));
  return [...(replaced ? [{ ...table, agedMs: 0 }] : []), ...aged].filter(({ agedMs }) => agedMs < keepBeforeMs);
}
