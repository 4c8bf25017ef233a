import { useConnectors } from '../src/connectors/settings.ts';
import { parseConnectorSettings } from '../src/runtime/environment.ts';
import { jsonLog } from '../src/runtime/system.ts';
import { answerOnThread, type ThreadAnswer, type ThreadRequest } from '../src/worker/isolate/thread-task.ts';
import { tasks } from './tasks.mjs';

useConnectors(parseConnectorSettings(process.env));

/** What a worker thread runs: one item of a task that says `thread: true`. */
export const runOnThread = (request: ThreadRequest): Promise<ThreadAnswer> =>
  answerOnThread(tasks, request, { log: jsonLog, now: () => Date.now() });
