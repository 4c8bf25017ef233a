import { useConnectors } from '../src/connectors/settings.ts';
import { parseConnectorSettings, parseEnvironment } from '../src/runtime/environment.ts';
import { trustOwnCertificates } from '../src/runtime/own-certificates.ts';
import { ParameterVault, readParameters, redactOutput } from '../src/runtime/secret-vault.ts';
import { serveParent } from '../src/runtime/serve-parent.ts';
import { jsonLog, systemClock } from '../src/runtime/system.ts';
import { threadsBeside } from '../src/runtime/task-threads.ts';
import { withThreads } from '../src/worker/isolate/thread-task.ts';
import { withSecrets } from '../src/worker/secrets.ts';
import { tasks as taskFiles } from './tasks.mjs';

trustOwnCertificates(process.env);
useConnectors(parseConnectorSettings(process.env));
const { name, loopLimits } = parseEnvironment(process.env);
const vault = new ParameterVault(name, readParameters);
redactOutput(vault);
const tasks = withThreads(withSecrets(taskFiles, vault), threadsBeside(import.meta.url));

/** The process in which suspect items run; its parent is the worker. */
serveParent({ tasks, clock: systemClock, log: jsonLog, loopLimits });
