import type { Summary } from '../format/summary.ts';
import { limits } from '../limits.ts';

/**
 * On-demand prices in US dollars, us-east-1, arm64, first tier, without the free tier, as published in November 2026.
 * https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/s3/pricing/
 */
export const prices = {
  /** One GB of memory for one second. */
  lambdaGbSecond: 0.000_013_333_4,
  lambdaRequest: 0.2 / 1_000_000,
  /** A standard queue's request, and what it costs more when the message has a group (fair queue). */
  sqsRequest: 0.4 / 1_000_000,
  sqsFairSurcharge: 0.1 / 1_000_000,
  /** PUT and LIST; GET and HEAD. */
  s3Write: 0.005 / 1_000,
  s3Read: 0.0004 / 1_000,
} as const;

/** What is not measured, but needed for an estimate. */
const assumptions = {
  /** A turn of a job's loop lists, reads some heads, and writes one record. */
  turnMs: 500,
  /** SendMessageBatch takes ten messages and is one request. */
  messagesPerSend: 10,
  /** A message is received once and deleted once. */
  requestsPerMessage: 2,
  /** The last record, control, the open part's results, and the next chunk table are asked for in a turn. */
  readsPerTurn: 4,
  /** A turn lists the last record and the open part, and writes its own record. */
  writesPerTurn: 3,
  /** A worker looks for a result, then reads the chunk's input; a turn reads the result's digest. */
  readsPerChunk: 3,
} as const;

/** What a job would have cost on AWS, in US dollars by part; the calls' own price and network traffic are not in it. */
export interface Cost {
  readonly lambda: number;
  readonly sqs: number;
  readonly s3: number;
  readonly total: number;
}

/** Estimates a job's price on AWS from its summary. */
export function estimateCost(summary: Summary): Cost {
  const { totals, turns, chunks } = summary;
  const workerGbSeconds = (totals.billedMs / 1_000) * (summary.workerMemoryMb / 1_024);
  const turnGbSeconds = ((turns * assumptions.turnMs) / 1_000) * (limits.tickMemoryMb / 1_024);
  const lambda =
    (workerGbSeconds + turnGbSeconds) * prices.lambdaGbSecond + (totals.invocations + turns) * prices.lambdaRequest;

  const messages = summary.messages + totals.handOvers + turns;
  const renewals = totals.billedMs / ((limits.leaseSeconds * 1_000) / limits.renewalsPerLease);
  const sqsRequests = messages * (1 / assumptions.messagesPerSend + assumptions.requestsPerMessage) + renewals;
  const sqs = sqsRequests * (prices.sqsRequest + prices.sqsFairSurcharge);

  // Once each: manifest, input, cut, summary; a table for each thousand chunks; a result for each chunk.
  const s3Writes = 4 + Math.ceil(chunks / limits.partChunks) + chunks + turns * assumptions.writesPerTurn;
  const controlReads = totals.billedMs / limits.controlMs;
  const s3Reads = chunks * assumptions.readsPerChunk + turns * assumptions.readsPerTurn + controlReads;
  const s3 = s3Writes * prices.s3Write + s3Reads * prices.s3Read;

  return { lambda, sqs, s3, total: lambda + sqs + s3 };
}
