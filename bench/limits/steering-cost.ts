import { z } from 'zod';
import { estimateCost } from '../../src/folder/cost.ts';
import { prices } from '../../src/folder/prices.ts';
import type { Summary } from '../../src/format/summary.ts';
import { defineTask } from '../../src/task/task.ts';
import { type SimulationOptions, simulate } from '../../src/testing/simulate.ts';
import type { SteeringCost } from '../results.ts';

type Options = SimulationOptions['options'];

const minutes = 10;
const callMs = 300;

/**
 * What a limited job of ten minutes asks of S3 and SQS beyond one without limits that makes the same calls in the same time on one
 * worker: counted requests of simulated jobs.
 */
export async function steeringCosts(): Promise<readonly SteeringCost[]> {
  return [
    await costOf('50/s', { perWorker: 15, limits: { rate: { limit: 50, perMs: 1_000 } } }),
    await costOf('20 at once', { perWorker: 20, limits: { maxConcurrency: 20 } }),
  ];
}

async function costOf(
  name: string,
  { perWorker, limits }: { readonly perWorker: number; readonly limits: NonNullable<Options>['limits'] },
): Promise<SteeringCost> {
  const items = Array.from({ length: (minutes * 60_000 * perWorker) / callMs }, (_, n) => n);
  const run = async (options: Options) => (await simulate({ task, items, options, workers: 1, wait: false })).summary;
  const limited = await run({ limits });
  const free = await run({ perWorker });
  const { totals, turns, workerMemoryMb } = limited;
  const compute = (totals.billedMs / 1_000) * (workerMemoryMb / 1_024) * prices.lambdaGbSecond;
  const { s3Writes, s3Reads, sqsRequests } = totals;
  return {
    name: `${name}, ${minutes} min`,
    requests: { s3Writes, s3Reads, sqs: sqsRequests },
    turns,
    ofCompute: (priceOf(limited) - priceOf(free)) / compute,
    allOfCompute: priceOf(limited) / compute,
    usd: estimateCost(limited).total,
  };
}

/** What the requests of a job's workers cost. */
const priceOf = ({ totals }: Summary): number =>
  totals.s3Writes * prices.s3Write +
  totals.s3Reads * prices.s3Read +
  totals.sqsRequests * (prices.sqsRequest + prices.sqsFairSurcharge);

const task = defineTask({
  description: 'A call',
  input: z.number(),
  example: 1,
  run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), callMs)),
});
