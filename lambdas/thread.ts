import { useConnectors } from '../src/connectors/settings.ts';
import { parseConnectorSettings, parseEnvironment } from '../src/runtime/environment.ts';
import { chargeFaults } from '../src/runtime/item-faults.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { ParameterVault, readParameters, redactOutput } from '../src/runtime/secret-vault.ts';
import { jsonLog } from '../src/runtime/system.ts';
import { answerOnThread, type ThreadAnswer, type ThreadRequest } from '../src/worker/isolate/thread-task.ts';
import { withSecrets } from '../src/worker/secrets.ts';
import { tasks as taskFiles } from './tasks.mjs';

trustOwnCertificates(process.env);
useConnectors(parseConnectorSettings(process.env));
const vault = new ParameterVault(parseEnvironment(process.env).name, readParameters);
redactOutput(vault);
chargeFaults(jsonLog);
const tasks = withSecrets(taskFiles, vault);

/** What a worker thread runs: one item of a task that says `thread: true`. */
export const runOnThread = (request: ThreadRequest): Promise<ThreadAnswer> =>
  answerOnThread(tasks, request, { log: jsonLog, now: () => Date.now() });
