/** Where each object of a job is: the layout of a job's folder has its only home here. */

const turnNumbers = 9_999_999;
const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

export const jobsPrefix = 'jobs/';
export const jobPrefix = (jobId: string): string => `${jobsPrefix}${jobId}/`;
export const manifestKey = (jobId: string): string => `${jobPrefix(jobId)}manifest.json`;
export const inputKey = (jobId: string): string => `${jobPrefix(jobId)}input.ndjson`;
export const cutKey = (jobId: string): string => `${jobPrefix(jobId)}cut.json`;
export const controlKey = (jobId: string): string => `${jobPrefix(jobId)}control.json`;
export const summaryKey = (jobId: string): string => `${jobPrefix(jobId)}summary.json`;
/** Stands when a tick died for good: somebody has to look, and `watch` or `cancel` moves the job on. */
export const stalledKey = (jobId: string): string => `${jobPrefix(jobId)}stalled.json`;
export const partKey = (jobId: string, part: number): string => `${jobPrefix(jobId)}chunks/${pad(part, 6)}.json`;
export const ticksPrefix = (jobId: string): string => `${jobPrefix(jobId)}ticks/`;
/** Newer turns sort before older ones, so that a LIST of one key finds the last. */
export const tickKey = (jobId: string, n: number): string => `${ticksPrefix(jobId)}${pad(turnNumbers - n, 7)}.json`;
export const tickNumber = (key: string): number => turnNumbers - Number(/(\d{7})\.json$/.exec(key)?.[1]);
export const resultsPrefix = (jobId: string, part: number): string => `${jobPrefix(jobId)}results/${pad(part, 6)}/`;

/** A chunk's place: its part, and its number within the part. */
export interface ChunkPlace {
  readonly part: number;
  readonly chunk: number;
}

export const resultKey = (jobId: string, place: ChunkPlace): string =>
  `${resultsPrefix(jobId, place.part)}${pad(place.chunk, 4)}.ndjson`;
export const resultChunk = (key: string): number => Number(/(\d{4})\.ndjson$/.exec(key)?.[1]);
export const partSegmentsPrefix = (jobId: string, part: number): string =>
  `${jobPrefix(jobId)}segments/${pad(part, 6)}/`;
export const segmentsPrefix = (jobId: string, place: ChunkPlace): string =>
  `${partSegmentsPrefix(jobId, place.part)}${pad(place.chunk, 4)}/`;
/** A segment's name sorts by the generation of the message that stored it, and says how many rows are in it. */
export const segmentName = (gen: number, writer: string, k: number, rows: number): string =>
  `${pad(gen, 7)}-${writer}-${k}r${rows}`;
/** The chunk of a segment's key, and its rows; none in a name of an older version. */
export const segmentInPart = (key: string): { readonly chunk: number; readonly rows: number } => {
  const [, chunk, rows] = /\/(\d{4})\/[^/]*?(?:r(\d+))?\.ndjson$/.exec(key) ?? [];
  return { chunk: Number(chunk), rows: Number(rows ?? 0) };
};
export const segmentGen = (name: string): number => Number.parseInt(name, 10);
export const segmentKey = (jobId: string, place: ChunkPlace, name: string): string =>
  `${segmentsPrefix(jobId, place)}${name}.ndjson`;
export const runningPrefix = 'running/';
/** Stands while a job has no summary. */
export const runningKey = (jobId: string): string => `${runningPrefix}${jobId}`;
export const runningJob = (key: string): string => key.slice(runningPrefix.length);
/** Stands once every unfinished job of the folder has its marker: older versions left none. */
export const markersKey = 'markers.json';
/** Names the job that a caller's client token made. */
export const tokenKey = (tokenHash: string): string => `tokens/${tokenHash}.json`;
