import { limits } from '../limits.ts';
import type { LoopLimits } from './loop-watchdog.ts';

/** Names of the variables that the stack sets on its functions and the handlers read. */
export const environmentNames = {
  bucket: 'FANLOOP_BUCKET',
  workQueueUrl: 'FANLOOP_WORK_QUEUE_URL',
  tickQueueUrl: 'FANLOOP_TICK_QUEUE_URL',
  workers: 'FANLOOP_WORKERS',
  leaseSeconds: 'FANLOOP_LEASE_SECONDS',
  allowPrivateNetwork: 'FANLOOP_ALLOW_PRIVATE_NETWORK',
  bundleHash: 'FANLOOP_BUNDLE_HASH',
  name: 'FANLOOP_NAME',
  workerMemoryMb: 'FANLOOP_WORKER_MEMORY_MB',
  /** Name of the stack's own table, where it has one. */
  table: 'FANLOOP_TABLE',
  /** Folder below which tasks may use files of this machine; only the embedded cloud sets it. */
  localFiles: 'FANLOOP_LOCAL_FILES',
  /** Set by whoever opens the embedded cloud to have its functions call it by the SDK, as on AWS: for tests and measurements of that. */
  sdk: 'FANLOOP_SDK',
} as const;

/** What Node reads when a function's process starts. */
export const functionNodeOptions = { NODE_OPTIONS: '--enable-source-maps' } as const;

/** Logical names of the stack's outputs; the command line finds a deployed stack by them. */
export const stackOutputs = {
  bucket: 'BucketName',
  workQueueUrl: 'WorkQueueUrl',
  tickQueueUrl: 'TickQueueUrl',
  deadLetterQueueUrl: 'DeadLetterQueueUrl',
  fanOutFunction: 'FanOutFunctionName',
  workerFunction: 'WorkerFunctionName',
  tickFunction: 'TickFunctionName',
  deadLetterFunction: 'DeadLetterFunctionName',
  workers: 'Workers',
  bundleHash: 'BundleHash',
  /** Folder of the tasks, relative to that of the app; absent where it is the usual one. */
  tasks: 'TasksFolder',
  /** Absent where the stack was made without a table. */
  table: 'TableName',
} as const;

/** A construct's name, as outputs have it before theirs: CloudFormation takes letters and digits only. */
export const outputPrefix = (name: string): string => name.replaceAll(/[^A-Za-z0-9]/g, '');

/** Names of the key attributes of the stack's own table; both are texts. */
export const ownTableKey = { partition: 'pk', sort: 'sk' } as const;

/** The settings of one function, parsed once when its environment starts. */
export interface Environment {
  readonly bucket: string;
  readonly workQueueUrl: string;
  readonly tickQueueUrl: string;
  readonly workers: number;
  readonly leaseSeconds: number;
  /** Calls go by the SDK; a function of the embedded cloud makes plain requests instead. */
  readonly usesSdk: boolean;
  /** Queues of this machine count their messages exactly. */
  readonly isDepthExact: boolean;
  /** For how long a worker holds a message without renewing that: the embedded cloud lets go of what a process held when it dies. */
  readonly holdSeconds: number;
  /** How often a worker stores rows of an unfinished chunk, in milliseconds. */
  readonly checkpointMs: number;
  readonly loopLimits: LoopLimits;
  readonly allowPrivateNetwork: boolean;
  /** Hash of the deployed bundle, kept in each manifest. */
  readonly bundleHash: string;
  /** Whose metrics the functions count: stack, and construct where it is not the only one. */
  readonly name: string;
  /** Memory of a worker in MB, by which its time is priced. */
  readonly workerMemoryMb: number;
}

/** Reads a function's settings. @throws Error when a variable is absent, or is no positive whole number where it should be. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const text = (name: string): string => {
    const value = variables[name];
    if (value === undefined || value === '') throw new Error(`expected the environment variable ${name}, got none`);
    return value;
  };
  const count = (name: string): number => {
    const value = Number(text(name));
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`expected ${name} to be a whole number from 1, got ${text(name)}`);
    return value;
  };
  // On this machine requests cost nothing, and who runs there waits for what died.
  const isLocal = (variables['AWS_ENDPOINT_URL'] ?? '') !== '';
  const isEmbedded = (variables[environmentNames.localFiles] ?? '') !== '';
  const leaseSeconds = count(environmentNames.leaseSeconds);
  return {
    bucket: text(environmentNames.bucket),
    workQueueUrl: text(environmentNames.workQueueUrl),
    tickQueueUrl: text(environmentNames.tickQueueUrl),
    workers: count(environmentNames.workers),
    usesSdk: !isEmbedded || variables[environmentNames.sdk] === 'true',
    isDepthExact: isEmbedded,
    leaseSeconds: isLocal ? Math.min(leaseSeconds, limits.localLeaseSeconds) : leaseSeconds,
    holdSeconds: isLocal && !isEmbedded ? Math.min(leaseSeconds, limits.localLeaseSeconds) : leaseSeconds,
    // On AWS a function has its share of a processor to itself.
    loopLimits: isLocal
      ? { limitMs: limits.localLoopBlockMs, cpuMs: limits.localLoopBlockCpuMs }
      : { limitMs: limits.loopBlockMs, cpuMs: limits.loopBlockMs },
    checkpointMs: isLocal ? limits.localCheckpointMs : limits.checkpointMs,
    allowPrivateNetwork: text(environmentNames.allowPrivateNetwork) === 'true',
    bundleHash: text(environmentNames.bundleHash),
    name: text(environmentNames.name),
    workerMemoryMb: count(environmentNames.workerMemoryMb),
  };
}

/** What the stack says to the connectors of its tasks; all of it may be absent. */
export function parseConnectorSettings(variables: Readonly<Record<string, string | undefined>>) {
  const given = (name: string): string | undefined => variables[name] || undefined;
  const table = given(environmentNames.table);
  return {
    allowPrivateNetwork: variables[environmentNames.allowPrivateNetwork] === 'true',
    bucket: given(environmentNames.bucket),
    table: table === undefined ? undefined : { name: table, keyNames: Object.values(ownTableKey) },
    localFiles: given(environmentNames.localFiles),
    ...(given(environmentNames.localFiles) === undefined ? {} : machineSettings(variables)),
  };
}

/** What is so on a person's own machine only: proxies, and the address of the embedded cloud. */
function machineSettings(variables: Readonly<Record<string, string | undefined>>) {
  const either = (name: string): string | undefined => variables[name.toLowerCase()] || variables[name] || undefined;
  const httpProxy = either('HTTP_PROXY');
  const httpsProxy = either('HTTPS_PROXY') ?? httpProxy;
  const endpoint = variables['AWS_ENDPOINT_URL'];
  return {
    proxy: httpsProxy === undefined ? undefined : { httpProxy, httpsProxy, noProxy: either('NO_PROXY') },
    ownAddress: endpoint === undefined ? undefined : URL.parse(endpoint)?.host,
  };
}
