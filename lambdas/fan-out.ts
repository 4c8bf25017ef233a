import type { Context } from 'aws-lambda';
import { useConnectors } from '../src/connectors/settings.ts';
import { type FanOutAnswer, parseRequest } from '../src/format/request.ts';
import { parseConnectorSettings } from '../src/runtime/environment.ts';
import { functionDeps, newWriter } from '../src/runtime/function-deps.ts';
import { attributeOutput } from '../src/runtime/item-output.ts';
import { leavingSignal } from '../src/runtime/leaving.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { ParameterVault, readParameters, redactOutput } from '../src/runtime/secret-vault.ts';
import { threadsBeside } from '../src/runtime/task-threads.ts';
import { type FanOutDeps, fanOut } from '../src/start/fan-out.ts';
import { mayRunHere } from '../src/start/start-job.ts';
import type { Task } from '../src/task/task.ts';
import { withThreads } from '../src/worker/isolate/thread-task.ts';
import { secretsOf, withSecrets } from '../src/worker/secrets.ts';
import { tasks as taskFiles } from './tasks.mjs';

const deps = await functionDeps(process.env);
trustOwnCertificates(process.env);
useConnectors({ clock: deps.clock, random: deps.random, ...parseConnectorSettings(process.env) });
const leaving = leavingSignal();
attributeOutput(deps.log);
// They are needed when items run here, and load beside the first requests.
const guarding = import('../src/runtime/guard-process.ts').then(({ guardProcess }) =>
  guardProcess({ loopLimits: deps.environment.loopLimits, log: deps.log, moduleUrl: import.meta.url }),
);
const vault = new ParameterVault(deps.environment.name, readParameters);
redactOutput(vault);
const tasks = withThreads(withSecrets(taskFiles, vault), threadsBeside(import.meta.url));

const worker = () => import('../src/worker/worker-loop.ts');

/** Starts a job. Lambda repeats a failed asynchronous invocation under the same request id, so that one is the default token. */
export const handler = async (event: unknown, context: Context): Promise<FanOutAnswer> => {
  const request = parseRequest(event);
  // Beside the first requests, and only where items run here: it is a tenth of all code.
  if (mayRunHere(request)) void worker();
  const deadline = deps.clock.now() + context.getRemainingTimeInMillis();
  const token = request.clientToken ?? context.awsRequestId;
  // A job whose secret is missing is refused before anything is written.
  await vault.read(secretsOf(await loadable(request.task), request.options?.secretHeaders));
  const { rescue, watchdog } = await guarding;
  const endWatch = watchdog.watch();
  const runWorker: FanOutDeps['runWorker'] = async (messages, given) =>
    (await worker()).runWorker(messages, { ...given, rescue });
  const world = { ...deps, tasks, deadline, leaving, writer: newWriter(), runWorker };
  return fanOut(world, request, token).finally(endWatch);
};

/** The task where it can be loaded; the job itself says why one cannot. */
const loadable = (name: string): Promise<Task | undefined> => tasks.load(name).catch(() => undefined);
