import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports.ts';
import { privateFile } from '../../runtime/private-files.ts';
import type { StackSettings } from '../../runtime/stack-settings.ts';
import { UsageError } from '../../task/errors.ts';
import { sleep } from '../../waiting.ts';
import { endStandby } from '../lambda/standby.ts';
import { account } from '../template/template-stack.ts';
import { ownCredentials } from './cloud-access.ts';
import { type Owner, type StackSource, startOwner } from './cloud-owner.ts';
import type { Disturb } from './disturb.ts';
import type { ReadObject } from './endpoint.ts';
import { claimStateFolder } from './state-folder.ts';

/** What an embedded cloud is opened with. */
export interface EmbeddedCloudOptions {
  /** Folder that keeps objects, logs, and the lock. Made when absent. */
  readonly stateDir: string;
  readonly settings: StackSettings;
  /** The output that names a function which is going to be invoked at once. @default none */
  readonly warm?: string;
  /** Called each time this process has become the owner of the folder, queues being empty then: send again what is unfinished. */
  readonly onOwner?: (connection: CloudConnection) => Promise<void>;
}

/** An embedded cloud that runs, here or in the process that owns its folder. */
export interface CloudConnection {
  /** `http://127.0.0.1:PORT`, the same for S3 (path-style), SQS, and Lambda; another one after a take-over whose port was taken. @throws Error where the owner went and taking over failed */
  readonly endpoint: string;
  readonly region: string;
  /** The person's own, allowed everything. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The stack's outputs by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Whether this process owns the folder now. */
  readonly owner: boolean;
  /** Reads an object without a request; undefined where another process owns the folder. */
  readonly readObject: ReadObject | undefined;
  /** Tells the key of each object as it is stored; the answer ends it. Undefined where another process owns the folder. */
  onStored(listener: (key: string) => void): (() => void) | undefined;
  /** Starts a process of the function that an output names, where this process owns the folder and the function has none yet. */
  warm(output: string): void;
  /** Leaves the cloud; its owner ends it. @throws Error of a take-over that failed, unless `endpoint` has said so */
  close(): Promise<void>;
}

/** The stack that runs, and what tests put in the place of time and of Lambda's long delays. */
export interface CloudParts {
  /** Finds the template and the code for settings. */
  readonly synthesize: (settings: StackSettings) => Promise<StackSource>;
  readonly clock: Clock;
  /** Delays before the second and third try of an event, in milliseconds. @default Lambda's */
  readonly eventDelaysMs?: readonly number[];
  /** Lets requests to the endpoint go wrong. @default none does */
  readonly disturb?: Disturb;
}

/** Who cannot take the cloud over tries again after this time: what it lacked may be there then. */
const takeOverTries = 3;
const takeOverAgainMs = 500;

/**
 * Joins the process that owns the folder, or becomes its owner; a joiner takes over on the same port when the owner goes (also
 * by kill -9).
 *
 * @throws UsageError `StateFolderBusy` when the folder's owner runs without a setting that is asked for
 */
export async function openEmbeddedCloud(options: EmbeddedCloudOptions, parts: CloudParts): Promise<CloudConnection> {
  const { stateDir, settings } = options;
  const leaving = new AbortController();
  let owner: Owner | undefined;
  let release = async (): Promise<void> => {};
  let endpoint = '';
  let outputs: Readonly<Record<string, string>> = {};
  /** Why the cloud cannot go on here. */
  let failure: Error | undefined;
  let isTold = false;

  const own = async (claim: Extract<Claim, { owner: true }>, port: number | undefined): Promise<void> => {
    try {
      owner = await startOwner({
        stateDir,
        clock: parts.clock,
        synthesize: () => parts.synthesize(settings),
        ...(port !== undefined && { port }),
        ...(options.warm !== undefined && { warm: options.warm }),
        ...(parts.eventDelaysMs && { eventDelaysMs: parts.eventDelaysMs }),
        ...(parts.disturb && { disturb: parts.disturb }),
      });
      endpoint = owner.url;
      outputs = owner.outputs;
      await keepOutputs(stateDir, { Endpoint: endpoint, ...outputs });
      await claim.publish({ pid: process.pid, port: owner.port, url: owner.url, settings: JSON.stringify(settings) });
      release = () => claim.release();
    } catch (error) {
      await owner?.close();
      owner = undefined;
      await claim.release();
      throw error;
    }
  };
  /** Waits for the owner's end, and takes its place unless another process is faster. */
  const succeed = async (joined: Extract<Claim, { owner: false }>): Promise<void> => {
    let claim: Claim = joined;
    for (let failures = 0; ; ) {
      while (!claim.owner) {
        endpoint = claim.info.url;
        await claim.whenFree(leaving.signal);
        if (leaving.signal.aborted) return;
        // Another joiner may be faster, and its port may be another one.
        claim = await claimStateFolder(stateDir, leaving);
      }
      try {
        await own(claim, joined.info.port);
        break;
      } catch (error) {
        failures++;
        if (failures === takeOverTries) throw error;
        // Another joiner may have more luck meanwhile.
        await sleep(parts.clock, takeOverAgainMs, leaving.signal);
        claim = await claimStateFolder(stateDir, leaving);
      }
    }
    await options.onOwner?.(connection);
  };

  let succession: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const connection: CloudConnection = {
    region: account.region,
    credentials: ownCredentials,
    get endpoint() {
      if (failure === undefined) return endpoint;
      isTold = true;
      throw failure;
    },
    get outputs() {
      return outputs;
    },
    get owner() {
      return owner !== undefined;
    },
    get readObject() {
      return owner?.readObject;
    },
    onStored: (listener) => owner?.onStored(listener),
    warm: (output) => owner?.warm(output),
    close: () => {
      closing ??= (async () => {
        leaving.abort();
        try {
          await succession.catch((error: unknown) => {
            // Leaving breaks off a claim that is under way.
            if (error !== leaving.signal.reason && !isTold) throw error;
          });
        } finally {
          await owner?.close();
          owner = undefined;
          await release();
        }
      })();
      return closing;
    },
  };

  const claim = await claimStateFolder(stateDir);
  if (claim.owner) {
    await own(claim, undefined);
    try {
      await options.onOwner?.(connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }
  // Its functions run in the owner's processes.
  endStandby();
  const conflict = conflictOf(settings, claim.info.settings);
  if (conflict !== undefined) {
    throw new UsageError(
      'StateFolderBusy',
      `expected the embedded cloud in ${stateDir} to run with ${conflict}, got a process (pid ${claim.info.pid}) that runs it otherwise: end that one, or choose another folder by --state`,
    );
  }
  endpoint = claim.info.url;
  outputs = await keptOutputs(stateDir);
  succession = succeed(claim);
  // Nobody awaits the succession before close; until then a failure is shown as a warning.
  succession.catch((cause: unknown) => {
    if (leaving.signal.aborted) return;
    const problem = new Error(`the embedded cloud's owner went, and taking over failed: ${String(cause)}`, { cause });
    // Who goes on asking would wait for minutes for what nobody answers.
    if (owner === undefined) failure = problem;
    process.emitWarning(problem.message);
  });
  return connection;
}

type Claim = Awaited<ReturnType<typeof claimStateFolder>>;

/** The first setting that a joiner asks for and the owner does not run with; what a joiner leaves open does not matter. */
function conflictOf(wanted: StackSettings, published: string): string | undefined {
  // The owner published its own settings.
  const owners = new Map(Object.entries(JSON.parse(published) as StackSettings));
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined || JSON.stringify(value) === JSON.stringify(owners.get(name))) continue;
    return `${name} ${JSON.stringify(value)}`;
  }
  return undefined;
}

const outputsFile = 'outputs.json';

/** The outputs stand in the folder before the owner is published, so that joiners need no template. */
async function keepOutputs(stateDir: string, outputs: Readonly<Record<string, string>>): Promise<void> {
  const file = join(stateDir, outputsFile);
  await writeFile(`${file}.new`, JSON.stringify(outputs), privateFile);
  await rename(`${file}.new`, file);
}

async function keptOutputs(stateDir: string): Promise<Readonly<Record<string, string>>> {
  // This program wrote the file, as text by name.
  return JSON.parse(await readFile(join(stateDir, outputsFile), 'utf8')) as Record<string, string>;
}
