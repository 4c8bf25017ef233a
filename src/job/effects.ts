import { mapBounded } from '../concurrency.ts';
import { changeControl, controlOf } from '../folder/control.ts';
import { readTable, settledInPart } from '../folder/read.ts';
import { settleRest } from '../folder/store-result.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { bellFor, encodeMessage, firstGen } from '../format/message.ts';
import { firstChunkOf, placesOf } from '../format/parts.ts';
import { type ChunkPlace, folderName, type JobFolder, partSegmentsPrefix, segmentInPart } from '../format/paths.ts';
import type { TickRecord } from '../format/tick.ts';
import { workMessage } from '../format/work-message.ts';
import type { Clock, ObjectStore, Queue } from '../ports.ts';
import { openParts } from './count-settled.ts';

/** What a record's effects need of the world. */
export interface EffectDeps {
  readonly store: ObjectStore;
  readonly workQueue: Queue;
  readonly clock: Clock;
  /** Unique to this invocation. */
  readonly writer: string;
}

/** Reads and writes of one turn that are under way at once. */
const parallel = 32;

/** Sends or settles the chunks that a record says; everything here may be done twice without harm. */
export async function doEffects(
  deps: EffectDeps,
  manifest: Manifest,
  record: TickRecord,
  options: {
    readonly again?: boolean;
    readonly inline: boolean;
    /** How many seats, the first ones, were rung for already. @default 0 */
    readonly rung?: number;
  },
): Promise<void> {
  const { store } = deps;
  const { again: isAgain = false, rung = 0 } = options;
  const folder = manifestFolder(manifest);
  const [from, to] = record.send;
  const bells = (record.bells ?? []).filter((seat) => seat >= rung);
  if (bells.length > 0) await ring(deps, folder, bells);
  const sent = options.inline || record.limited === true ? [] : placesOf(record.cut.parts, from, to);
  const again =
    record.resend || record.settleRest
      ? placesOf(record.cut.parts, firstChunkOf(record.cut.parts, record.settledParts), from)
      : [];
  const settled = isAgain || again.length > 0 ? await settledPlaces(store, record, folder) : new Set<string>();
  // What some worker has received is on its way already, and sent again it would run twice.
  const begun = isAgain ? await begunPlaces(store, record, folder) : new Set<string>();
  const left = (places: readonly ChunkPlace[], done = settled): ChunkPlace[] =>
    places.filter((place) => !done.has(placeName(place)));

  const gone = settled.union(begun);
  if (isAgain || record.resend) await expectTwins(deps, manifest, record);
  if (record.resend) await sendChunks(deps, manifest, left(again, gone), { record, isAgain });
  if (record.settleRest) await cancelChunks(deps, manifest, left(again));
  await sendChunks(deps, manifest, left(sent, gone), { record, isAgain });
}

/** Calls somebody to each of some seats. */
export async function ring({ workQueue }: EffectDeps, folder: JobFolder, seats: readonly number[]): Promise<void> {
  const bodies = seats.map((seat) => encodeMessage(bellFor(folder, seat)));
  await workQueue.send(bodies, { group: folder.id });
}

/** Tells the workers that a message which was taken for lost may come after the one that is sent in its place. */
async function expectTwins({ store, clock }: EffectDeps, manifest: Manifest, { n }: TickRecord): Promise<void> {
  await changeControl(
    { store, now: () => clock.now() },
    { job: manifestFolder(manifest), first: controlOf(manifest), by: `turn:${n}` },
    ({ twins }) => (twins === true ? undefined : { twins: true }),
  );
}

const placeName = (place: ChunkPlace): string => `${place.part}/${place.chunk}`;

async function settledPlaces(store: ObjectStore, record: TickRecord, folder: JobFolder): Promise<Set<string>> {
  const settled = new Set<string>();
  for (const part of openParts(record)) {
    for (const chunk of await settledInPart(store, folder, part)) settled.add(placeName({ part, chunk }));
  }
  return settled;
}

/** Chunks of which a worker stored a segment for a message that the record sent, or for a later one. */
async function begunPlaces(store: ObjectStore, record: TickRecord, folder: JobFolder): Promise<Set<string>> {
  const begun = new Set<string>();
  for (const part of openParts(record)) {
    for (const key of await store.list(partSegmentsPrefix(folder, part))) {
      const { chunk, gen } = segmentInPart(key);
      if (gen >= firstGen(record.resends)) begun.add(placeName({ part, chunk }));
    }
  }
  return begun;
}

async function sendChunks(
  deps: EffectDeps,
  manifest: Manifest,
  places: readonly ChunkPlace[],
  of: { readonly record: TickRecord; readonly isAgain: boolean },
): Promise<void> {
  if (places.length === 0) return;
  const { resends } = of.record;
  const bounds = await boundsOf(deps.store, manifestFolder(manifest), places);
  // The fan-out may have died of its own chunk: a worker does not.
  const deaths = manifest.inline && resends > 0 ? { deaths: 1 } : {};
  const bodies = bounds.map((at) =>
    encodeMessage({
      ...workMessage(manifestFolder(manifest), at, resends),
      ...deaths,
      ...(of.isAgain ? { again: true } : {}),
    }),
  );
  await deps.workQueue.send(bodies, { group: manifest.jobId });
}

async function cancelChunks(deps: EffectDeps, manifest: Manifest, places: readonly ChunkPlace[]): Promise<void> {
  const { store, writer } = deps;
  const folder = manifestFolder(manifest);
  await mapBounded(await boundsOf(store, folder, places), parallel, ({ part, chunk, bounds }) =>
    settleRest(
      store,
      { job: folder, place: { part, chunk }, chunk: bounds },
      { writer, makeRow: (index) => ({ index, status: 'cancelled', attempts: 0 }) },
    ),
  );
}

async function boundsOf(store: ObjectStore, folder: JobFolder, places: readonly ChunkPlace[]) {
  const tables = new Map<number, Awaited<ReturnType<typeof readTable>>>();
  for (const part of new Set(places.map((place) => place.part))) tables.set(part, await readTable(store, folder, part));
  return places.map((place) => {
    const bounds = tables.get(place.part)?.chunks[place.chunk];
    if (bounds === undefined)
      throw new Error(`expected chunk ${place.chunk} in part ${place.part} of ${folderName(folder)}, got none`);
    return { ...place, bounds };
  });
}
