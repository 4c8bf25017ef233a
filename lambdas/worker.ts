import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { useConnectors } from '../src/connectors/settings.ts';
import { parseConnectorSettings } from '../src/runtime/environment.ts';
import { functionDeps, newWriter } from '../src/runtime/function-deps.ts';
import { leavingSignal } from '../src/runtime/leaving.ts';
import { fromRecord } from '../src/runtime/sqs-record.ts';
import { threadsBeside } from '../src/runtime/task-threads.ts';
import { toHeldMessage } from '../src/worker/held-message.ts';
import { withThreads } from '../src/worker/isolate/thread-task.ts';
import { runWorker } from '../src/worker/worker-loop.ts';
import { tasks as taskFiles } from './tasks.mjs';

const deps = functionDeps(process.env);
useConnectors({ clock: deps.clock, random: deps.random, ...parseConnectorSettings(process.env) });
const leaving = leavingSignal();
const tasks = withThreads(taskFiles, threadsBeside(import.meta.url));

/** Runs the chunk of the event's message and whatever more the queue has; a message is done only when it is acknowledged. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadline = deps.clock.now() + context.getRemainingTimeInMillis();
  const messages = event.Records.map((record) => toHeldMessage(fromRecord(record), deps.log)).filter(
    (held) => held !== undefined,
  );
  const acknowledged = await runWorker(messages, {
    ...deps,
    tasks,
    queue: deps.workQueue,
    deadline,
    leaving,
    writer: newWriter(),
    pull: true,
  });
  const unproven = event.Records.filter((record) => !acknowledged.has(record.messageId));
  return { batchItemFailures: unproven.map((record) => ({ itemIdentifier: record.messageId })) };
};
