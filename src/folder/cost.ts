import type { Digest } from '../format/digest.ts';
import type { Summary } from '../format/summary.ts';
import { limits } from '../limits.ts';
import { prices } from './prices.ts';

/**
 * What is not counted by the functions themselves. Workers count their own requests, and their time; of a turn only its number is
 * known. `test/folder/cost.test.ts` holds these against the requests of simulated jobs.
 */
const assumptions = {
  /** A turn of a job's loop, on average over its life, with the guard of the next one. */
  turnMs: 550,
  /** SendMessageBatch takes ten messages and is one request. */
  messagesPerSend: 10,
  /** A turn and the guard of the next one are an invocation each. */
  invocationsPerTurn: 2,
  /** Lambda receives a message and deletes it, the function holds it: of the turn and of its guard. The turn asks for the queue's depth, and sends both. */
  sqsPerTurn: 9,
  /** Manifest, summary, last record, control, and the table of the chunks that are sent; the guard looks for two records. */
  readsPerTurn: 7,
  /** LISTs of the records, the open part's results and segments; PUT of its own record. */
  writesPerTurn: 4,
  /** A turn reads the digest of each chunk that has settled. */
  readsPerChunk: 1,
  /** Marker, manifest, input, cut, and summary, once a job. */
  writesPerJob: 5,
} as const;

/** What of a job is known that costs money. */
export type Spent = Pick<Summary, 'totals' | 'turns' | 'chunks' | 'messages' | 'workerMemoryMb'>;

/** What a job would have cost on AWS, in US dollars by part; the calls' own price, storage, logs, and network traffic are not in it. */
export interface Cost {
  readonly lambda: number;
  readonly sqs: number;
  readonly s3: number;
  readonly total: number;
}

/** Requests that a job made, by kind as they are billed. */
export interface BilledRequests {
  readonly sqs: number;
  readonly s3Writes: number;
  readonly s3Reads: number;
}

/** Requests of a job's workers as they counted them, and of its turns as {@link assumptions} has them. */
export function billedRequests({ totals, turns, chunks, messages }: Spent): BilledRequests {
  const tables = Math.ceil(chunks / limits.partChunks);
  return {
    sqs: totals.sqsRequests + messages / assumptions.messagesPerSend + turns * assumptions.sqsPerTurn,
    s3Writes: totals.s3Writes + assumptions.writesPerJob + tables + turns * assumptions.writesPerTurn,
    s3Reads: totals.s3Reads + chunks * assumptions.readsPerChunk + turns * assumptions.readsPerTurn,
  };
}

/** A job's price on AWS: what its functions counted, at published prices. */
export function estimateCost(spent: Spent): Cost {
  const { totals, turns } = spent;
  const workerGbSeconds = (totals.billedMs / 1_000) * (spent.workerMemoryMb / 1_024);
  const turnGbSeconds = ((turns * assumptions.turnMs) / 1_000) * (limits.tickMemoryMb / 1_024);
  const lambda =
    (workerGbSeconds + turnGbSeconds) * prices.lambdaGbSecond +
    (totals.invocations + turns * assumptions.invocationsPerTurn) * prices.lambdaRequest;
  const requests = billedRequests(spent);
  const sqs = requests.sqs * (prices.sqsRequest + prices.sqsFairSurcharge);
  const s3 = requests.s3Writes * prices.s3Write + requests.s3Reads * prices.s3Read;
  return { lambda, sqs, s3, total: lambda + sqs + s3 };
}

/** A job's price so far: what has settled, as the last turn has counted it. */
export function costSoFar(
  record: { readonly totals: Digest; readonly n: number; readonly settledChunks: number; readonly messages: number },
  workerMemoryMb: number,
): number {
  const { totals, n, settledChunks, messages } = record;
  return estimateCost({ totals, turns: n + 1, chunks: settledChunks, messages, workerMemoryMb }).total;
}
