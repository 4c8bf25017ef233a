import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { useConnectors } from '../src/connectors/settings.ts';
import { sendDueTick } from '../src/job/due-tick.ts';
import { parseConnectorSettings } from '../src/runtime/environment.ts';
import { functionDeps, newWriter } from '../src/runtime/function-deps.ts';
import { guardProcess } from '../src/runtime/guard-process.ts';
import { attributeOutput } from '../src/runtime/item-output.ts';
import { leavingSignal } from '../src/runtime/leaving.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { ParameterVault, readParameters, redactOutput } from '../src/runtime/secret-vault.ts';
import { fromRecord } from '../src/runtime/sqs-record.ts';
import { childrenBeside } from '../src/runtime/task-child.ts';
import { threadsBeside } from '../src/runtime/task-threads.ts';
import type { Places } from '../src/worker/deps.ts';
import { toHeldMessage } from '../src/worker/held-message.ts';
import { withThreads } from '../src/worker/isolate/thread-task.ts';
import { withSecrets } from '../src/worker/secrets.ts';
import { runWorker } from '../src/worker/worker-loop.ts';
import { tasks as taskFiles } from './tasks.mjs';

const deps = await functionDeps(process.env);
trustOwnCertificates(process.env);
useConnectors({ clock: deps.clock, random: deps.random, ...parseConnectorSettings(process.env) });
const leaving = leavingSignal();
attributeOutput(deps.log);
const { loopLimits } = deps.environment;
const { memoryMb, rescue, watchdog } = guardProcess({ loopLimits, log: deps.log, moduleUrl: import.meta.url });
const startChild = childrenBeside(import.meta.url, { memoryMb, loopLimits });
const vault = new ParameterVault(deps.environment.name, readParameters);
redactOutput(vault);
const tasks = withThreads(withSecrets(taskFiles, vault), threadsBeside(import.meta.url));

/** Runs the chunk of the event's message and whatever more the queue has; a message is done only when it is acknowledged. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const deadline = deps.clock.now() + context.getRemainingTimeInMillis();
  const messages = event.Records.map((record) => toHeldMessage(fromRecord(record), deps.log)).filter(
    (held) => held !== undefined,
  );
  const endWatch = watchdog.watch();
  const acknowledged = await runWorker(messages, {
    ...deps,
    tasks,
    startChild,
    rescue,
    queue: deps.workQueue,
    deadline,
    leaving,
    knock: (job) => sendDueTick(deps, job),
    writer: newWriter(),
    pull: true,
    ...('places' in context && { places: context.places as Places }),
  }).finally(endWatch);
  const unproven = event.Records.filter((record) => !acknowledged.has(record.messageId));
  return { batchItemFailures: unproven.map((record) => ({ itemIdentifier: record.messageId })) };
};
