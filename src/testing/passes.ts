import { type RedriveOptions, redriveJob } from '../client/redrive.ts';
import { newestFolder } from '../folder/passes.ts';
import { readCut, readManifest, readSummary, readTable } from '../folder/read.ts';
import { readRows } from '../folder/read-rows.ts';
import { indexesOf, indexListFormat } from '../format/index-list.ts';
import type { Row } from '../format/outcome.ts';
import { type JobFolder, passIndexesKey } from '../format/paths.ts';
import type { Summary } from '../format/summary.ts';
import type { ObjectStore } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { placeName } from './history.ts';
import type { SimulatedStack } from './stack.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Which items run again, and how; as for a job. */
export type RedriveChoice = Pick<
  RedriveOptions,
  'codes' | 'statuses' | 'cancelled' | 'sameKey' | 'timeoutMs' | 'attempts'
>;

/** A redrive that begins when the job, or the pass before, has ended; one that finds no item is none. */
export interface SimulatedRedrive extends RedriveChoice {
  /** What somebody else asks for in the same moment: one of the two has their way. */
  readonly rival?: RedriveChoice;
}

/** One run over items of a job, as it went: the job's own, or a redrive's. */
export interface SimulatedPass {
  /** 0 is the job itself. */
  readonly pass: number;
  /** What was asked for; none for the job itself. */
  readonly asked: readonly RedriveChoice[];
  /** Which of the job's items ran, in their order. */
  readonly indexes: readonly number[];
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly sameKey: boolean;
  /** Rows as they stood at its end, under the indexes that items have in the pass. */
  readonly rows: readonly Row[];
  /** The same when all was over. */
  readonly rowsLater: readonly Row[];
  readonly summary: Summary;
  /** The chunks into which its items were cut, by {@link placeName}. */
  readonly bounds: ReadonlyArray<{ readonly place: string; readonly first: number; readonly count: number }>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A stack as it is redriven. */
interface Redriven {
  readonly stack: SimulatedStack;
  readonly store: ObjectStore;
  readonly time: VirtualTime;
  readonly jobId: string;
}

/** Redrives a job whose last pass has ended; answers the folder of the newest pass, which is the last one where no item was chosen. */
export async function redrive(of: Redriven, asked: SimulatedRedrive): Promise<JobFolder> {
  const { rival, ...choice } = asked;
  const before = await newestFolder(of.store, of.jobId);
  await Promise.all([choice, ...(rival === undefined ? [] : [rival])].map((one) => redrivePatiently(of, one, before)));
  return newestFolder(of.store, of.jobId);
}

/** Somebody whose command was killed, or could not go on, looks what stands and gives it again. */
async function redrivePatiently(of: Redriven, choice: RedriveChoice, before: JobFolder): Promise<void> {
  const { stack, store, time, jobId } = of;
  while ((await newestFolder(store, jobId)).pass === before.pass) {
    const { client, process } = stack.person();
    const died = process.killed.then(() => Promise.reject(new Error('the command was killed')));
    try {
      await Promise.race([redriveJob(client, jobId, choice), died]);
    } catch (error) {
      // No item is chosen, or somebody else was faster.
      if (error instanceof UsageError) return;
      await time.sleep(againMs);
    } finally {
      process.end();
    }
  }
}

const againMs = 10_000;

/** Reads what stands of a pass that has ended. */
export async function readPass(
  { store, jobId }: Pick<Redriven, 'store' | 'jobId'>,
  pass: number,
): Promise<Omit<SimulatedPass, 'asked' | 'rowsLater' | 'startedAt' | 'endedAt'>> {
  const folder = { id: jobId, pass };
  const [manifest, summary, cut] = await Promise.all([
    readManifest(store, folder),
    readSummary(store, folder),
    readCut(store, folder),
  ]);
  if (manifest === undefined || summary === undefined)
    throw new Error(`expected pass ${pass} of ${jobId} to have ended`);
  const list = pass === 0 ? undefined : await store.get(passIndexesKey(manifest.input.key));
  const indexes =
    list === undefined
      ? Array.from({ length: summary.items }, (_, n) => n)
      : indexesOf(indexListFormat.parse(list.body).steps);
  const bounds = [];
  for (const part of cut?.parts.keys() ?? []) {
    for (const [chunk, { first, count }] of (await readTable(store, folder, part))?.chunks.entries() ?? [])
      bounds.push({ place: placeName({ part, chunk, pass }), first, count });
  }
  const { attempts, timeoutMs } = manifest.options;
  const { sameKey = false } = manifest;
  return { pass, indexes, attempts, timeoutMs, sameKey, rows: await rowsOf(store, folder), summary, bounds };
}

/** All rows of a folder. */
export async function rowsOf(store: ObjectStore, folder: JobFolder): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const batch of readRows(store, folder)) rows.push(...batch);
  return rows;
}
