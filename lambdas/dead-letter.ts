import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { settleDeadLetter } from '../src/job/dead-letter.ts';
import { functionDeps, newWriter } from '../src/runtime/function-deps.ts';
import { settleEach } from '../src/runtime/sqs-record.ts';

const deps = await functionDeps(process.env);

/** Settles dead letters, so that every job ends. */
export const handler = async (event: SQSEvent): Promise<SQSBatchResponse> =>
  settleEach(event.Records, deps.log, async (message) => {
    await settleDeadLetter({ ...deps, writer: newWriter() }, message.body);
    return 'done';
  });
