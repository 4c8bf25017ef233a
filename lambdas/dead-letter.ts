import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { functionDeps, newWriter } from '../adapters/function-deps.ts';
import { settleEach } from '../adapters/sqs-record.ts';
import { settleDeadLetter } from '../core/job/dead-letter.ts';

const deps = functionDeps(process.env);

/** Settles dead letters, so that every job ends. */
export const handler = async (event: SQSEvent): Promise<SQSBatchResponse> =>
  settleEach(event.Records, deps.log, async (message) => {
    await settleDeadLetter({ ...deps, writer: newWriter() }, message.body);
    return 'done';
  });
