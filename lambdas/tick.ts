import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { takeTick } from '../src/job/take-tick.ts';
import { limits } from '../src/limits.ts';
import { functionDeps, newWriter } from '../src/runtime/function-deps.ts';
import { settleEach } from '../src/runtime/sqs-record.ts';
import { tasks } from './tasks.mjs';

const deps = await functionDeps(process.env);

/** Takes one turn of a job for each tick of the event. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const budgetMs = Math.min(limits.turnMs, context.getRemainingTimeInMillis() - limits.deadlineMarginMs);
  const until = deps.clock.now() + budgetMs;
  return settleEach(event.Records, deps.log, (message) =>
    takeTick({ ...deps, tasks, writer: newWriter() }, message, until),
  );
};
