import { join } from 'node:path';
import { limits } from '../../limits.ts';
import type { Clock } from '../../ports.ts';
import { type LambdaHost, openLambdaHost } from '../lambda/host.ts';
import { readTemplate } from '../template/template.ts';
import { describeStack, type QueueDescription, type StackDescription } from '../template/template-stack.ts';
import { openAccessControl } from './cloud-access.ts';
import { afterDeathSeconds, startMappings } from './cloud-mappings.ts';
import type { Disturb } from './disturb.ts';
import { type Endpoint, type EndpointOptions, openEndpoint, type ReadObject } from './endpoint.ts';
import { requireRoom } from './room.ts';

/** A synthesized stack. */
export interface StackSource {
  readonly templatePath: string;
  /** Folder of the assets. */
  readonly outDir: string;
  readonly stackName: string;
  /** The output that names a function of which one process can do the work of several. @default none is so */
  readonly packed?: string;
}

/** What the owner of a state folder runs. */
export interface OwnerOptions {
  readonly stateDir: string;
  /** Makes the template. */
  readonly synthesize: () => Promise<StackSource>;
  readonly clock: Clock;
  /** The port of the owner before, so that clients go on; a free one by default. */
  readonly port?: number;
  /** Delays before the second and third try of an event, in milliseconds. @default Lambda's */
  readonly eventDelaysMs?: readonly number[];
  /** Lets requests to the endpoint go wrong. @default none does */
  readonly disturb?: Disturb;
  /** The output that names a function which is going to be invoked at once. @default none */
  readonly warm?: string;
}

/** A running stack. */
export interface Owner {
  readonly url: string;
  readonly port: number;
  readonly outputs: Readonly<Record<string, string>>;
  /** Reads an object without a request; undefined where it shall be asked for. */
  readonly readObject: ReadObject | undefined;
  /** Tells the key of each object as it is stored; the answer ends it. */
  onStored(listener: (key: string) => void): () => void;
  /** Starts a process of the function that an output names, which is going to be invoked. */
  warm(output: string): void;
  /** Stops to poll, kills the functions' processes, and closes the endpoint. */
  close(): Promise<void>;
}

/** Executions at once: enough for what the mappings may run, and for calls beside them; AWS gives a new account 10. */
const concurrencyBesideMappings = 100;

/** Runs a stack: endpoint, bucket, queues, functions, mappings. Whatever was opened is closed again when a part cannot start. */
export async function startOwner(options: OwnerOptions): Promise<Owner> {
  requireRoom();
  const opened: Array<() => Promise<void>> = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  try {
    const source = await options.synthesize();
    const template = await readTemplate(source.templatePath);
    let access: ReturnType<typeof openAccessControl> | undefined;
    let host: LambdaHost | undefined;
    const endpoint = await openOnPort(options, {
      stateDir: options.stateDir,
      ...(options.disturb && { disturb: options.disturb }),
      authorize: (request) => access?.authorize(request) ?? 'the embedded cloud is starting',
      invoke: async (request) => host?.invoke(request) ?? starting,
    });
    opened.push(() => endpoint.close());
    const stack = describeStack(template, {
      stackName: source.stackName,
      endpointUrl: endpoint.url,
      assetsDir: source.outDir,
    });
    const control = openAccessControl(stack.functions);
    access = control;
    const { warm } = options;
    const lambda = await openLambdaHost({
      functions: stack.functions,
      stateDir: options.stateDir,
      compileCacheDir: join(source.outDir, 'compile-cache'),
      endpointUrl: endpoint.url,
      credentials: control.environmentCredentials,
      onEnvironmentEnd: (key) => endpoint.releaseHeld(key, afterDeathSeconds),
      clock: options.clock,
      concurrency:
        concurrencyBesideMappings + stack.mappings.reduce((sum, mapping) => sum + mapping.maximumConcurrency, 0),
      ...(options.eventDelaysMs && { eventDelaysMs: options.eventDelaysMs }),
    });
    host = lambda;
    const warmUp = (output: string): void => lambda.warm(stack.outputs[output] ?? '');
    // Its process starts while the resources are made and the caller prepares its request.
    if (warm !== undefined) warmUp(warm);
    opened.push(() => lambda.close());
    await createResources(endpoint, stack);
    const packed = stack.outputs[source.packed ?? ''];
    const mappings = startMappings({ stack, endpoint, host: lambda, clock: options.clock, packed });
    opened.push(async () => {
      // Invocations that run would hold the mappings open; so they stop to poll first, then what runs hands over and goes.
      const stopped = mappings.close();
      await lambda.leave(limits.leaveMs);
      await lambda.close();
      await stopped;
    });
    return {
      url: endpoint.url,
      port: endpoint.port,
      outputs: stack.outputs,
      readObject: endpoint.readObject,
      onStored: endpoint.onStored,
      warm: warmUp,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a caller is answered who is faster than the start. */
const starting = { status: 503, errorType: 'ServiceException', payload: Buffer.from('{"message":"starting"}') };

/** The system may take this long to close the port of a process that was killed, after it told others that the process is gone. */
const portRetries = { times: 40, delayMs: 50 } as const;

/** Opens the endpoint on the wanted port; on another one only where somebody else keeps it. */
async function openOnPort(
  { port, clock }: OwnerOptions,
  endpointOptions: Omit<EndpointOptions, 'port'>,
): Promise<Endpoint> {
  if (port === undefined) return openEndpoint(endpointOptions);
  for (let retry = 0; ; retry += 1) {
    const endpoint = await openEndpoint({ ...endpointOptions, port });
    if (endpoint.port === port || retry === portRetries.times) return endpoint;
    await endpoint.close();
    await new Promise<void>((resolve) => void clock.after(portRetries.delayMs, resolve));
  }
}

async function createResources(endpoint: Endpoint, stack: StackDescription): Promise<void> {
  for (const bucket of stack.buckets) endpoint.createBucket(bucket);
  for (const table of stack.tables) endpoint.createTable(table);
  // A dead-letter queue has to be there before the queue that names it.
  const hasRedrive = ({ attributes }: QueueDescription): number => (attributes['RedrivePolicy'] === undefined ? 0 : 1);
  for (const queue of [...stack.queues].sort((a, b) => hasRedrive(a) - hasRedrive(b))) {
    const { url, arn } = await endpoint.createQueue(queue.name, queue.attributes);
    if (url !== queue.url || arn !== queue.arn) {
      throw new Error(`expected the queue ${queue.name} to be ${queue.url} (${queue.arn}), got ${url} (${arn})`);
    }
  }
}
