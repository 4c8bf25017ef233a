import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { billedRequests, costSoFar, estimateCost } from '../../src/folder/cost.ts';
import { prices } from '../../src/folder/prices.ts';
import { emptyDigest } from '../../src/format/digest.ts';
import type { Summary } from '../../src/format/summary.ts';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
import { type Simulated, simulate } from '../../src/testing/simulate.ts';

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
  it('adds up worker time, invocations, and the requests that were counted', () => {
    const totals = {
      ...emptyDigest,
      invocations: 100,
      billedMs: 1_000_000,
      s3Writes: 1_000,
      s3Reads: 4_000,
      sqsRequests: 3_000,
    };
    const cost = estimateCost({ ...nothing, chunks: 1_000, messages: 1_000, turns: 30, totals });
    // 1,000 s on 1 GB and 30 turns of 0.55 s on 0.5 GB; 160 invocations.
    expect(cost.lambda).toBeCloseTo(1_008.25 * prices.lambdaGbSecond + 160 * prices.lambdaRequest, 9);
    // 3,000 of workers, 100 batches of messages, 9 a turn.
    expect(cost.sqs).toBeCloseTo(3_370 * (prices.sqsRequest + prices.sqsFairSurcharge), 9);
    // 1,000 of workers, 5 a job, 1 table, 4 a turn; 4,000 of workers, 1 a chunk, 7 a turn.
    expect(cost.s3).toBeCloseTo(1_126 * prices.s3Write + 5_210 * prices.s3Read, 9);
    expect(cost.total).toBeCloseTo(cost.lambda + cost.sqs + cost.s3, 12);
  });

  it('grows with the memory of the workers', () => {
    const totals = { ...emptyDigest, billedMs: 10_000 };
    const small = estimateCost({ ...nothing, totals, workerMemoryMb: 512 });
    const large = estimateCost({ ...nothing, totals, workerMemoryMb: 1_024 });
    expect(large.lambda / small.lambda).toBeCloseTo(2, 9);
  });

  it('counts only the objects that every job has for one that did nothing', () => {
    expect(estimateCost(nothing)).toEqual({ lambda: 0, sqs: 0, s3: 5 * prices.s3Write, total: 5 * prices.s3Write });
  });

  it('is the same for a job that has just ended as what it came to so far', () => {
    const totals = { ...emptyDigest, billedMs: 10_000, invocations: 3, s3Writes: 9 };
    const record = { totals, n: 6, settledChunks: 12, messages: 12 };
    const summary = { ...nothing, totals, turns: 7, chunks: 12, messages: 12 };
    expect(costSoFar(record, 1_024)).toBe(estimateCost(summary).total);
  });
});

/** Answers after 200 ms; one call in fifty is refused the first time. */
const call = defineTask({
  description: 'A call of 200 ms',
  input: z.number(),
  example: 1,
  run: (n, { attempt }) =>
    new Promise<number>((resolve, reject) =>
      setTimeout(() => {
        if (n % 50 === 0 && attempt === 1) reject(new TaskError('no', { code: 'HttpStatus503', retryable: true }));
        else resolve(n);
      }, 200),
    ),
});

/** Everything is paid by the item or by the second, and the ramp once: so often what the small job costs is an upper bound for a million. */
const scale = 20;
const items = Array.from({ length: 1_000_000 / scale }, (_, n) => n);

describe('a simulated job of many calls', () => {
  let simulated: Simulated;
  beforeAll(async () => {
    simulated = await simulate({ task: call, items, options: { perWorker: 200 }, workers: 5, wait: false });
  });

  it('makes the requests that its price is made of', async () => {
    const { summary, requests } = simulated;
    const billed = billedRequests(summary);
    // Lambda receives and deletes a message for each invocation of a worker or a turn, and of a turn's guard, which holds its message,
    // and looks for two records, when the job has ended: the simulation does not count that.
    const mapping = 2 * summary.totals.invocations + 5 * summary.turns;
    const guards = 2 * summary.turns;
    expect(requests.sqsRequests + mapping).toBeLessThanOrEqual(1.1 * billed.sqs);
    expect(requests.sqsRequests + mapping).toBeGreaterThan(0.8 * billed.sqs);
    // Whoever follows the job asks once a second; that is not the job's.
    const looks = 5 * (2 + summary.wallMs / 1_000);
    expect(requests.s3Writes - looks).toBeLessThanOrEqual(billed.s3Writes);
    expect(requests.s3Writes).toBeGreaterThan(0.8 * billed.s3Writes);
    expect(requests.s3Reads - looks).toBeLessThanOrEqual(billed.s3Reads);
    expect(requests.s3Reads + guards).toBeGreaterThan(0.8 * billed.s3Reads);
  });

  it('costs at most $0.03 for a million calls of 200 ms, of which 2 % fail once', async () => {
    const { summary } = simulated;
    expect(summary.totals).toMatchObject({ succeeded: items.length, attempts: 1.02 * items.length });
    expect(scale * estimateCost(summary).total).toBeLessThanOrEqual(0.03);
  });
});
