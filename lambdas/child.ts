import { useConnectors } from '../src/connectors/settings.ts';
import { parseConnectorSettings } from '../src/runtime/environment.ts';
import { serveParent } from '../src/runtime/serve-parent.ts';
import { jsonLog, systemClock } from '../src/runtime/system.ts';
import { threadsBeside } from '../src/runtime/task-threads.ts';
import { withThreads } from '../src/worker/isolate/thread-task.ts';
import { tasks as taskFiles } from './tasks.mjs';

useConnectors(parseConnectorSettings(process.env));

/** The process in which suspect items run; its parent is the worker. */
serveParent({ tasks: withThreads(taskFiles, threadsBeside(import.meta.url)), clock: systemClock, log: jsonLog });
