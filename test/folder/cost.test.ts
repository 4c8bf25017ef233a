import { describe, expect, it } from 'vitest';
import { estimateCost, prices } from '../../src/folder/cost.ts';
import { emptyDigest } from '../../src/format/digest.ts';
import type { Summary } from '../../src/format/summary.ts';

const nothing: Summary = {
  v: 1,
  task: 'http',
  jobId: '0000000000aaaaaaaaaa',
  end: 'done',
  items: 0,
  chunks: 0,
  totals: emptyDigest,
  messages: 0,
  turns: 0,
  createdAt: '2026-11-23T10:00:00.000Z',
  endedAt: '2026-11-23T10:00:00.000Z',
  wallMs: 0,
  workerMemoryMb: 1_024,
};

describe('estimateCost', () => {
  it('adds up worker time, invocations, messages, and objects of a large job', () => {
    const totals = { ...emptyDigest, succeeded: 1_000_000, invocations: 100, billedMs: 1_000_000, handOvers: 20 };
    const cost = estimateCost({ ...nothing, items: 1_000_000, chunks: 1_000, messages: 1_000, turns: 30, totals });
    // 1,000 s on 1 GB and 30 turns of 0.5 s on 0.5 GB; 130 requests.
    expect(cost.lambda).toBeCloseTo(1_007.5 * prices.lambdaGbSecond + 130 * prices.lambdaRequest, 9);
    // 1,050 messages at 2.1 requests each, and 100 renewals.
    expect(cost.sqs).toBeCloseTo((1_050 * 2.1 + 100) * (prices.sqsRequest + prices.sqsFairSurcharge), 9);
    // 4 + 1 + 1,000 + 90 writes; 3,000 + 120 + 500 reads.
    expect(cost.s3).toBeCloseTo(1_095 * prices.s3Write + 3_620 * prices.s3Read, 9);
    expect(cost.total).toBeCloseTo(cost.lambda + cost.sqs + cost.s3, 12);
  });

  it('grows with the memory of the workers', () => {
    const totals = { ...emptyDigest, billedMs: 10_000 };
    const small = estimateCost({ ...nothing, totals, workerMemoryMb: 512 });
    const large = estimateCost({ ...nothing, totals, workerMemoryMb: 1_024 });
    expect(large.lambda / small.lambda).toBeCloseTo(2, 9);
  });

  it('counts only the four objects that every job has for one that did nothing', () => {
    expect(estimateCost(nothing)).toEqual({ lambda: 0, sqs: 0, s3: 4 * prices.s3Write, total: 4 * prices.s3Write });
  });
});
