import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports.ts';
import type { InvocationPlaces } from '../model/event-source.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import { type Environment, startEnvironment } from './environment.ts';
import type { Execution } from './execution.ts';
import { type FunctionLog, openLogTail } from './log.ts';
import type { Reaper } from './reaper.ts';
import { traceInvocation } from './recursion.ts';

/** What a function is run with. */
export interface FunctionOptions {
  readonly description: FunctionDescription;
  /** Variables of a new environment. */
  readonly variables: () => Readonly<Record<string, string>>;
  readonly log: FunctionLog;
  readonly reaper: Reaper;
  readonly clock: Clock;
  /** Called when an environment's process has ended, with its variables. @default nothing */
  readonly onEnvironmentEnd?: (variables: Readonly<Record<string, string>>) => void;
}

/** An invocation and the end of its log. */
export interface LoggedExecution extends Execution {
  readonly requestId: string;
  /** The end of the log, 4 KB or more. */
  readonly logTail: string;
}

/** A function with its execution environments. */
export interface LambdaFunction {
  readonly description: FunctionDescription;
  /** Invocations that run now. */
  readonly running: number;
  /** Runs one invocation in a free environment or in a new one; `traceHeaders` are those of the events that cause it. */
  invoke(
    payload: string,
    traceHeaders: ReadonlyArray<string | undefined>,
    places?: InvocationPlaces,
  ): Promise<LoggedExecution>;
  /** Starts an environment that an invocation will want at once, so that it loads the handler while its caller still prepares. */
  warm(): void;
  /** Asks what runs to hand over and end; resolves when nothing runs any more. */
  leave(): Promise<void>;
  /** Ends all environments. */
  close(): Promise<void>;
}

/** An environment that was not used for this long is ended; Lambda tells no number, several minutes are usual. */
const idleMs = 300_000;

/** Makes a function that has no environment yet. */
export function openFunction(options: FunctionOptions): LambdaFunction {
  const { description, clock } = options;
  const environments = new Set<Environment>();
  const idle: Array<{ readonly environment: Environment; readonly cancel: () => void }> = [];
  const executions = new Set<Promise<LoggedExecution>>();

  const start = (): Environment => {
    const variables = options.variables();
    const environment = startEnvironment({
      description,
      variables,
      log: options.log,
      reaper: options.reaper,
      clock,
      onExit: () => {
        environments.delete(environment);
        options.onEnvironmentEnd?.(variables);
        const index = idle.findIndex((entry) => entry.environment === environment);
        if (index >= 0) idle.splice(index, 1)[0]?.cancel();
      },
    });
    environments.add(environment);
    return environment;
  };
  /** The one used last is the warmest; those before it grow old and end. */
  const acquire = (): Environment => {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      entry.cancel();
      // One whose idle time is over is killed, but may not have exited yet.
      if (entry.environment.usable) return entry.environment;
    }
    return start();
  };
  const release = (environment: Environment): void => {
    if (environment.usable) idle.push({ environment, cancel: clock.after(idleMs, () => void environment.end()) });
    else void environment.end();
  };

  const run: LambdaFunction['invoke'] = async (payload, traceHeaders, places) => {
    const requestId = randomUUID();
    const tail = openLogTail();
    const environment = acquire();
    try {
      const traceHeader = traceInvocation(traceHeaders, description.arn);
      const execution = await environment.run({ requestId, payload, traceHeader, ...(places && { places }) }, tail);
      return { ...execution, requestId, logTail: tail.text() };
    } finally {
      release(environment);
    }
  };

  return {
    description,
    get running() {
      return executions.size;
    },
    invoke: (payload, traceHeaders, places) => {
      const execution = run(payload, traceHeaders, places).finally(() => executions.delete(execution));
      executions.add(execution);
      return execution;
    },
    warm: () => {
      if (environments.size === 0) release(start());
    },
    leave: async () => {
      for (const environment of environments) environment.leave();
      await Promise.allSettled(executions);
    },
    close: async () => {
      await Promise.all([...environments].map((environment) => environment.end()));
      // Those that were broken off still write their reports.
      await Promise.all(executions);
    },
  };
}
