// biome-ignore-all lint/performance/noBarrelFile: It loads what another file will import.
/**
 * All that the fan-out imports, for a process that is started before it is told that it will be one: loading this does nothing.
 * What is missing here only loads later; a test compares.
 */
export { useConnectors } from '../src/connectors/settings.ts';
export { parseRequest } from '../src/format/request.ts';
export { parseConnectorSettings } from '../src/runtime/environment.ts';
export { functionDeps } from '../src/runtime/function-deps.ts';
export { attributeOutput } from '../src/runtime/item-output.ts';
export { leavingSignal } from '../src/runtime/leaving.ts';
export { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
export { ParameterVault } from '../src/runtime/secret-vault.ts';
export { threadsBeside } from '../src/runtime/task-threads.ts';
export { fanOut } from '../src/start/fan-out.ts';
export { mayRunHere } from '../src/start/start-job.ts';
export { withThreads } from '../src/worker/isolate/thread-task.ts';
export { withSecrets } from '../src/worker/secrets.ts';
export { tasks } from './tasks.mjs';

/** What it imports later, on this machine and where a small job's items run in it. */
export const later = Promise.all([
  import('../src/aws/local/local-clients.ts'),
  import('../src/runtime/loop-watchdog.ts'),
  import('../src/worker/worker-loop.ts'),
]);
