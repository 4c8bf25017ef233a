import { z } from 'zod';
import { estimateCost } from '../src/folder/cost.ts';
import { prices } from '../src/folder/prices.ts';
import { TaskError } from '../src/task/errors.ts';
import { defineTask } from '../src/task/task.ts';
import { simulate } from '../src/testing/simulate.ts';
import type { CostRow } from './results.ts';

const calls = 1_000_000;
const callSeconds = 0.2;
/** The work is done 1.02 times: 2 % of the calls fail once. */
const attempts = 1.02 * calls;
/** Functions of the peers have half a gigabyte, the least that a Node function with an SDK is comfortable with. */
const peerGb = 0.5;

/** What a million calls cost here, and elsewhere by published prices. */
export async function costTable(): Promise<readonly CostRow[]> {
  const {
    lambdaRequest,
    lambdaGbSecond,
    sqsRequest,
    stepTransition,
    expressRequest,
    expressGbSecond,
    durableOperation,
  } = prices;
  // Ten messages a request, in and out again.
  const batches = attempts / 10;
  const queue = 3 * batches * sqsRequest;
  const perCall = attempts * (lambdaRequest + callSeconds * peerGb * lambdaGbSecond);
  // A state machine is billed 64 MB at least. https://aws.amazon.com/step-functions/pricing/
  const express = attempts * (expressRequest + callSeconds * 0.0625 * expressGbSecond);
  return [
    { name: 'fanloop', how: '200 calls at once a worker, 1 GB; requests counted', usd: await fanloop() },
    {
      name: 'SQS, batch awaited at once',
      how: 'ten messages an invocation, as Powertools does',
      usd: queue + batches * (lambdaRequest + callSeconds * peerGb * lambdaGbSecond),
    },
    {
      name: 'SQS, one after another',
      how: 'ten messages an invocation',
      usd: queue + batches * (lambdaRequest + 10 * callSeconds * peerGb * lambdaGbSecond),
    },
    { name: 'Distributed Map, express', how: 'an execution and an invocation a call', usd: express + perCall },
    { name: 'durable functions', how: 'one step a call', usd: attempts * durableOperation + batches * lambdaRequest },
    {
      name: 'Distributed Map, standard',
      how: 'one transition and an invocation a call',
      usd: attempts * stepTransition + perCall,
    },
  ];
}

/** A simulated job of a part of the calls, scaled up: everything in it is paid by the item or by the second. */
async function fanloop(): Promise<number> {
  const parts = 20;
  const task = defineTask({
    description: 'A call of 200 ms',
    input: z.number(),
    example: 1,
    run: (n, { attempt }) =>
      new Promise<number>((resolve, reject) =>
        setTimeout(() => {
          if (n % 50 === 0 && attempt === 1) reject(new TaskError('no', { code: 'HttpStatus503', retryable: true }));
          else resolve(n);
        }, 1_000 * callSeconds),
      ),
  });
  const items = Array.from({ length: calls / parts }, (_, n) => n);
  const { summary } = await simulate({ task, items, options: { perWorker: 200 }, workers: 5, wait: false });
  return parts * estimateCost(summary).total;
}
