import { join } from 'node:path';
import type { Clock } from '../../ports.ts';
import { makePrivateFolder } from '../../runtime/private-files.ts';
import { openEventQueue } from '../model/async-events.ts';
import type { InvocationPlaces } from '../model/event-source.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import { type LambdaFunction, type LoggedExecution, openFunction } from './function.ts';
import type { InvokeAnswer, InvokeRequest } from './invoke-api.ts';
import { openFunctionLog } from './log.ts';
import { startReaper } from './reaper.ts';
import { invocationsInChain, maxInvocationsInChain } from './recursion.ts';
import { type Credentials, environmentVariables } from './variables.ts';

/** What the host runs. */
export interface HostOptions {
  readonly functions: readonly FunctionDescription[];
  readonly stateDir: string;
  readonly compileCacheDir: string;
  readonly endpointUrl: string;
  /** The key of a new environment of a function, by the function's name. */
  readonly credentials: (functionName: string) => Credentials;
  /** Called with the key of an environment whose process has ended. @default nothing */
  readonly onEnvironmentEnd?: (accessKeyId: string) => void;
  readonly clock: Clock;
  /** Invocations at once of all functions. */
  readonly concurrency: number;
  /** Delays before the second and the third try of an event, in milliseconds. */
  readonly eventDelaysMs?: readonly number[];
}

/** All functions of a stack. */
export interface LambdaHost {
  /** Answers the Invoke API. */
  invoke(request: InvokeRequest): Promise<InvokeAnswer>;
  /** Invokes for an event source mapping; undefined when the call is throttled. */
  invokeFor(
    functionName: string,
    payload: string,
    traceHeaders: ReadonlyArray<string | undefined>,
    places: InvocationPlaces,
  ): Promise<LoggedExecution | undefined>;
  /** Whether a chain that this trace header belongs to may not invoke the function again. */
  stopsRecursion(functionName: string, traceHeader: string | undefined): boolean;
  /** Writes a line of the service's own to the function's log. */
  log(functionName: string, line: string): void;
  /** Starts an environment of a function that is about to be invoked. */
  warm(functionName: string): void;
  /** Asks what runs to hand its work over, and waits for it, at most `limitMs`. */
  leave(limitMs: number): Promise<void>;
  /** Kills all environments and waits for their ends. */
  close(): Promise<void>;
}

/** Opens the functions of a stack; no environment starts before its first invocation. */
export async function openLambdaHost(options: HostOptions): Promise<LambdaHost> {
  const logsDir = join(options.stateDir, 'logs');
  makePrivateFolder(logsDir);
  const reaper = startReaper();
  const logs = new Map(options.functions.map(({ name }) => [name, openFunctionLog(logsDir, name)]));
  const log = (functionName: string, line: string): void => logs.get(functionName)?.append(line);
  const functions = new Map<string, LambdaFunction>();
  for (const description of options.functions) {
    const own = logs.get(description.name);
    if (own === undefined) continue;
    functions.set(
      description.name,
      openFunction({
        description,
        log: own,
        reaper,
        clock: options.clock,
        onEnvironmentEnd: (variables) => options.onEnvironmentEnd?.(variables['AWS_ACCESS_KEY_ID'] ?? ''),
        variables: () =>
          environmentVariables(description, {
            endpointUrl: options.endpointUrl,
            credentials: options.credentials(description.name),
            compileCacheDir: options.compileCacheDir,
          }),
      }),
    );
  }
  const running = (): number => [...functions.values()].reduce((sum, each) => sum + each.running, 0);
  const throttled = ({ description, running: own }: LambdaFunction): boolean =>
    own >= (description.reservedConcurrency ?? Number.POSITIVE_INFINITY) || running() >= options.concurrency;
  const stopsRecursion = ({ description }: LambdaFunction, traceHeader: string | undefined): boolean =>
    description.recursiveLoop === 'Terminate' &&
    invocationsInChain(traceHeader, description.arn) >= maxInvocationsInChain;
  const invokeUnlessThrottled = async (
    target: LambdaFunction,
    payload: string,
    traceHeaders: ReadonlyArray<string | undefined>,
    places?: InvocationPlaces,
  ): Promise<LoggedExecution | undefined> =>
    throttled(target) ? undefined : target.invoke(payload, traceHeaders, places);
  const events = openEventQueue<LambdaFunction>({
    clock: options.clock,
    invoke: invokeUnlessThrottled,
    log,
    ...(options.eventDelaysMs && { delaysMs: options.eventDelaysMs }),
  });

  return {
    log,
    stopsRecursion: (functionName, traceHeader) => {
      const target = functions.get(functionName);
      return target !== undefined && stopsRecursion(target, traceHeader);
    },
    invokeFor: async (functionName, payload, traceHeaders, places) => {
      const target = functions.get(functionName);
      return target === undefined ? undefined : invokeUnlessThrottled(target, payload, traceHeaders, places);
    },
    invoke: async (request) => {
      const target = functions.get(request.functionName);
      const payload = request.payload.byteLength === 0 ? '{}' : Buffer.from(request.payload).toString('utf8');
      if (target === undefined) {
        return apiError(404, 'ResourceNotFoundException', `Function not found: ${request.functionName}`);
      }
      const problem = jsonProblem(payload);
      if (problem !== undefined) return apiError(400, 'InvalidRequestContentException', problem);
      if (stopsRecursion(target, request.traceHeader)) {
        log(target.description.name, `RecursiveInvocationException: ${recursionMessage}`);
        return apiError(400, 'RecursiveInvocationException', recursionMessage);
      }
      if (request.invocationType === 'DryRun') return { status: 204, payload: nothing };
      if (request.invocationType === 'Event') {
        events.send(target, payload, request.traceHeader);
        return { status: 202, payload: nothing };
      }
      const execution = await invokeUnlessThrottled(target, payload, [request.traceHeader]);
      if (execution === undefined) return apiError(429, 'TooManyRequestsException', 'Rate Exceeded.');
      return {
        status: 200,
        payload: Buffer.from(execution.payload),
        ...(execution.errorType !== undefined && { functionError: 'Unhandled' }),
        ...(request.tail && { logTail: execution.logTail }),
      };
    },
    warm: (functionName) => functions.get(functionName)?.warm(),
    leave: async (limitMs) => {
      const late = Promise.withResolvers<void>();
      const cancel = options.clock.after(limitMs, late.resolve);
      await Promise.race([late.promise, Promise.all([...functions.values()].map((each) => each.leave()))]);
      cancel();
    },
    close: async () => {
      events.close();
      await Promise.all([...functions.values()].map((each) => each.close()));
      await Promise.all([...logs.values()].map((each) => each.close()));
      await reaper.close();
    },
  };
}

/** What Lambda answers and logs when it stops a chain of a function's own invocations. */
const recursionMessage =
  'AWS Lambda has detected your function being invoked in a recursive loop with other AWS resources and terminated your function’s invocation.';

const nothing = new Uint8Array();

function jsonProblem(payload: string): string | undefined {
  try {
    JSON.parse(payload);
    return undefined;
  } catch (error) {
    return `Could not parse request body into json: ${String(error)}`;
  }
}

function apiError(status: number, errorType: string, message: string): InvokeAnswer {
  return { status, errorType, payload: Buffer.from(JSON.stringify({ Type: 'User', message, Message: message })) };
}
