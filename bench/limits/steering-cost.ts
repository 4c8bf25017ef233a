import { z } from 'zod';
import { estimateCost } from '../../src/folder/cost.ts';
import { prices } from '../../src/folder/prices.ts';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';
import type { SteeringCost } from '../results.ts';

const minutes = 10;
const callMs = 300;

/** What workers of a limited job of ten minutes ask of S3 and SQS, and its turns beside: a simulated job's counted requests. */
export async function steeringCosts(): Promise<readonly SteeringCost[]> {
  return [
    await costOf('50/s', minutes * 60 * 50, { limits: { rate: { limit: 50, perMs: 1_000 } } }),
    await costOf('20 at once', (minutes * 60 * 20 * 1_000) / callMs, { limits: { maxConcurrency: 20 } }),
  ];
}

async function costOf(name: string, count: number, options: object): Promise<SteeringCost> {
  const task = defineTask({
    description: 'A call',
    input: z.number(),
    example: 1,
    run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), callMs)),
  });
  const items = Array.from({ length: Math.round(count) }, (_, n) => n);
  const { summary } = await simulate({ task, items, options, workers: 5, wait: false });
  const { totals, turns, workerMemoryMb } = summary;
  const compute = (totals.billedMs / 1_000) * (workerMemoryMb / 1_024) * prices.lambdaGbSecond;
  const requests =
    totals.s3Writes * prices.s3Write +
    totals.s3Reads * prices.s3Read +
    totals.sqsRequests * (prices.sqsRequest + prices.sqsFairSurcharge);
  const { total } = estimateCost(summary);
  return {
    name: `${name}, ${minutes} min`,
    requests: { s3Writes: totals.s3Writes, s3Reads: totals.s3Reads, sqs: totals.sqsRequests },
    turns,
    ofCompute: requests / compute,
    turnsOfCompute: (total - requests - compute) / compute,
    usd: total,
  };
}
