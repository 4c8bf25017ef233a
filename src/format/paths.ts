/** Where each object of a job is: the layout of a job's folder has its only home here. */

const turnNumbers = 9_999_999;
const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** A folder of a job: its own is pass 0, each redrive has a further one with the same layout. */
export interface JobFolder {
  readonly id: string;
  readonly pass: number;
}

/** A folder, or the id of the job whose own it is. */
export type JobRef = JobFolder | string;

/** The folder that a reference means. */
export const jobFolder = (job: JobRef): JobFolder => (typeof job === 'string' ? { id: job, pass: 0 } : job);

/** A folder's name: unique to it, and the job's id for the job's own. */
export const folderName = (job: JobRef): string => {
  const { id, pass } = jobFolder(job);
  return pass === 0 ? id : `${id}/passes/${pass}`;
};

export const jobsPrefix = 'jobs/';
export const jobPrefix = (job: JobRef): string => `${jobsPrefix}${folderName(job)}/`;
export const manifestKey = (job: JobRef): string => `${jobPrefix(job)}manifest.json`;
export const inputKey = (job: JobRef): string => `${jobPrefix(job)}input.ndjson`;
export const cutKey = (job: JobRef): string => `${jobPrefix(job)}cut.json`;
export const controlKey = (job: JobRef): string => `${jobPrefix(job)}control.json`;
export const seatsPrefix = (job: JobRef): string => `${jobPrefix(job)}seats/`;
export const seatKey = (job: JobRef, seat: number): string =>
  `${jobPrefix(job)}seats/${String(seat).padStart(4, '0')}.json`;
export const brakesPrefix = (job: JobRef): string => `${jobPrefix(job)}brakes/`;
/** Places where workers say what refusals have come to. */
export const brakeSlots = 32;
export const brakeKey = (job: JobRef, slot: number): string => `${brakesPrefix(job)}${pad(slot, 2)}.json`;
export const summaryKey = (job: JobRef): string => `${jobPrefix(job)}summary.json`;
/** Stands when a tick died for good: somebody has to look, and `watch` or `cancel` moves the job on. */
export const stalledKey = (job: JobRef): string => `${jobPrefix(job)}stalled.json`;
export const partKey = (job: JobRef, part: number): string => `${jobPrefix(job)}chunks/${pad(part, 6)}.json`;
export const ticksPrefix = (job: JobRef): string => `${jobPrefix(job)}ticks/`;
/** Newer turns sort before older ones, so that a LIST of one key finds the last. */
export const tickKey = (job: JobRef, n: number): string => `${ticksPrefix(job)}${pad(turnNumbers - n, 7)}.json`;
export const tickNumber = (key: string): number => turnNumbers - Number(/(\d{7})\.json$/.exec(key)?.[1]);
export const resultsPrefix = (job: JobRef, part: number): string => `${jobPrefix(job)}results/${pad(part, 6)}/`;

/** A chunk's place: its part, and its number within the part. */
export interface ChunkPlace {
  readonly part: number;
  readonly chunk: number;
}

export const resultKey = (job: JobRef, place: ChunkPlace): string =>
  `${resultsPrefix(job, place.part)}${pad(place.chunk, 4)}.ndjson`;
export const resultChunk = (key: string): number => Number(/(\d{4})\.ndjson$/.exec(key)?.[1]);
export const partSegmentsPrefix = (job: JobRef, part: number): string => `${jobPrefix(job)}segments/${pad(part, 6)}/`;
export const segmentsPrefix = (job: JobRef, place: ChunkPlace): string =>
  `${partSegmentsPrefix(job, place.part)}${pad(place.chunk, 4)}/`;
/**
 * A segment's name sorts by the generation of the message that stored it, and says how many rows are in it, and before that what tasks
 * said they spent on them; at the end of one that was stored to hand over stands for how many seconds the chunk waits: no instant, since
 * machines' clocks differ.
 */
export const segmentName = (at: {
  readonly gen: number;
  readonly writer: string;
  readonly k: number;
  readonly rows: number;
  readonly nanoUsd?: number;
  readonly waitMs?: number | undefined;
}): string => {
  const { nanoUsd = 0 } = at;
  const spent = nanoUsd === 0 ? '' : `u${nanoUsd}`;
  const wait = at.waitMs === undefined ? '' : `~${Math.ceil(at.waitMs / 1_000)}`;
  return `${pad(at.gen, 7)}-${at.writer}-${at.k}${spent}r${at.rows}${wait}`;
};
/** What the key of a segment says: chunk, generation, rows (none in a name of an older version), and for how long the chunk waits. */
export const segmentInPart = (
  key: string,
): { readonly chunk: number; readonly gen: number; readonly rows: number; readonly waitMs: number } => {
  const [, chunk, gen, rows, wait] = /\/(\d{4})\/(\d+)[^/]*?(?:r(\d+))?(?:~(\d+))?\.ndjson$/.exec(key) ?? [];
  return { chunk: Number(chunk), gen: Number(gen), rows: Number(rows ?? 0), waitMs: 1_000 * Number(wait ?? 0) };
};
/** What tasks said they spent on what a segment stands for, in 1e-9 US dollars; 0 in a name of an older version. */
export const segmentNanoUsd = (name: string): number => Number(/u(\d+)r\d+(?:~\d+)?$/.exec(name)?.[1] ?? 0);
export const segmentGen = (name: string): number => Number.parseInt(name, 10);
export const segmentKey = (job: JobRef, place: ChunkPlace, name: string): string =>
  `${segmentsPrefix(job, place)}${name}.ndjson`;
export const runningPrefix = 'running/';
/** Stands while a job has no summary. */
export const runningKey = (job: JobRef): string => {
  const { id, pass } = jobFolder(job);
  return `${runningPrefix}${id}${pass === 0 ? '' : `.${pass}`}`;
};
export const runningJob = (key: string): JobFolder => {
  const [id = '', pass = '0'] = key.slice(runningPrefix.length).split('.');
  return { id, pass: Number(pass) };
};
/** The items of a pass; named by who selected them, since two may select at once. */
export const passInputKey = (job: JobFolder, token: string): string => `${jobPrefix(job)}input-${token}.ndjson`;
/** Which of the job's items they are, in their order: stands beside the input of a pass. */
export const passIndexesKey = (inputOfPass: string): string =>
  inputOfPass.replace(/input-([^/]*)\.ndjson$/, 'indexes-$1.json');
/** Stands once every unfinished job of the folder has its marker: older versions left none. */
export const markersKey = 'markers.json';
/** Names the job that a caller's client token made. */
export const tokenKey = (tokenHash: string): string => `tokens/${tokenHash}.json`;
