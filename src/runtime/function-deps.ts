import { randomUUID } from 'node:crypto';
import type { Clients } from '../aws/clients.ts';
import { countingLog } from './counting-log.ts';
import { type Environment, parseEnvironment } from './environment.ts';
import { jsonLog, systemClock, systemRandom, threadCpuMs } from './system.ts';

/** Makes what every function of the stack needs, once for its environment, from the variables that the stack sets. */
export async function functionDeps(variables: Variables) {
  const environment = parseEnvironment(variables);
  const clients = await clientsOf(environment, variables);
  // The clients load TLS when they first need it; where they will, it loads now, while Lambda gives a function more of a processor.
  if (variables['AWS_ENDPOINT_URL']?.startsWith('http:') !== true) process.getBuiltinModule('node:https');
  return {
    environment,
    store: clients.store(environment.bucket),
    input: clients.input,
    workQueue: clients.queue(environment.workQueueUrl),
    tickQueue: clients.queue(environment.tickQueueUrl),
    clock: systemClock,
    random: systemRandom,
    cpuMs: threadCpuMs,
    log: countingLog(jsonLog, environment.name, systemClock),
    leaseSeconds: environment.leaseSeconds,
    isDepthExact: environment.isDepthExact,
    holdSeconds: environment.holdSeconds,
    checkpointMs: environment.checkpointMs,
    stack: {
      bucket: environment.bucket,
      workers: environment.workers,
      workerMemoryMb: environment.workerMemoryMb,
      bundleHash: environment.bundleHash,
    },
  };
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * On AWS and LocalStack the SDK. The embedded cloud checks no signature and has one address, so a function there goes without: to load
 * the SDK is half of its start, and each of its first hundred calls takes four times the processor time of a plain one.
 */
async function clientsOf({ usesSdk }: Environment, variables: Variables): Promise<Clients> {
  if (usesSdk) return (await import('../aws/sdk-clients.ts')).sdkClients();
  const { localClients } = await import('../aws/local/local-clients.ts');
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = variables;
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = variables;
  // The runtime sets it anew for each invocation.
  const trace = () => process.env['_X_AMZN_TRACE_ID'];
  return localClients({ endpoint, region, credentials: { accessKeyId, secretAccessKey } }, trace);
}

/** A name that no other invocation has; short, since segments and results carry it. */
export function newWriter(): string {
  return randomUUID().slice(0, 13);
}
