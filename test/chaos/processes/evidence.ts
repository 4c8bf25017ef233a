import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownCredentials } from '../../../src/cloud/host/cloud-access.ts';
import type { CliProcess } from '../../cli/cli-process.ts';
import { descendants, stateOf } from './function-processes.ts';

/** Where there is something to see when a run breaks a promise. */
export interface Scene {
  /** The run's folder; the reports of its processes are written into it. */
  readonly folder: string;
  readonly state: string;
  readonly command: CliProcess;
  readonly owner: { readonly child: CliProcess['child'] };
}

/** Node writes a report of a process that is sent this signal, also while it waits for what never comes. */
export const reporting = (folder: string): readonly string[] => [
  '--report-on-signal',
  '--report-signal=SIGUSR2',
  `--report-directory=${folder}`,
  '--report-exclude-network',
];

/** What can be seen of a run whose promise is broken, at most some 30 lines: a log of it is all that is left of a CI. */
export async function evidenceOf(scene: Scene): Promise<string> {
  const { command, owner, state } = scene;
  const parts = await Promise.all([
    saidBy(command),
    waitsOf('the command', command.child.pid, scene),
    waitsOf('the owner', owner.child.pid, scene),
    processesOf([command.child.pid, owner.child.pid]),
    jobsIn(state),
    queuesOf(state),
    logsOf(state),
  ]);
  return parts
    .flat()
    .map((line) => `    ${line.slice(0, 700)}`)
    .join('\n');
}

async function saidBy({ child, output }: CliProcess): Promise<readonly string[]> {
  const { stdout, stderr } = output();
  const said = [...stdout.trim().split('\n').slice(-3), ...stderr.trim().split('\n').slice(-3)].filter(Boolean);
  const how = child.exitCode ?? child.signalCode ?? 'still runs';
  const args = child.spawnargs.slice(child.spawnargs.findIndex((arg) => arg.endsWith('fanloop.js')) + 1);
  return [`command ${args.join(' ')} (${child.pid}): ${how}`, ...said.map((line) => `  ${line}`)];
}

/** What a process waits for: its connections, timers, and children. */
async function waitsOf(name: string, pid: number | undefined, { folder }: Scene): Promise<readonly string[]> {
  if (pid === undefined || stateOf(pid) === undefined) return [`${name} (${pid}) is gone`];
  process.kill(pid, 'SIGUSR2');
  for (let look = 0; look < 30; look++) {
    await sleep(100);
    const file = (await readdir(folder)).find((each) => each.startsWith('report.') && each.includes(`.${pid}.`));
    const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
    // It is written in pieces.
    if (!text.trimEnd().endsWith('}')) continue;
    // Node wrote it. https://nodejs.org/api/report.html
    const { libuv } = JSON.parse(text) as { readonly libuv: readonly Handle[] };
    return [`${name} (${pid}) waits for ${libuv.map(handleText).filter(Boolean).join(', ')}`];
  }
  return [`${name} (${pid}) wrote no report`];
}

interface Handle {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced: boolean;
  readonly localEndpoint?: { readonly port: number } | null;
  readonly remoteEndpoint?: { readonly port: number } | null;
  readonly firesInMsFromNow?: number;
  readonly pid?: number;
}

function handleText(handle: Handle): string {
  const { type, is_active, is_referenced, localEndpoint, remoteEndpoint, firesInMsFromNow, pid } = handle;
  if (!is_active || !is_referenced) return '';
  if (type === 'tcp') return `tcp ${localEndpoint?.port ?? ''}>${remoteEndpoint?.port ?? 'listens'}`;
  if (type === 'timer') return `timer in ${firesInMsFromNow} ms`;
  return type === 'process' ? `process ${pid}` : type;
}

async function processesOf(roots: readonly (number | undefined)[]): Promise<readonly string[]> {
  const lines = descendants(roots).map(({ pid, parent, state, name }) => `${pid}<${parent} ${state} ${name}`);
  return [`processes: ${lines.join('; ') || 'none'}`];
}

/** The objects of each job and its newest records, straight from the files: nobody may own the folder. */
async function jobsIn(state: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const bucket of readdirSync(join(state, 's3'))) {
    const jobs = join(state, 's3', bucket, 'objects', 'jobs');
    const names = await readdir(jobs, { recursive: true }).catch(() => []);
    const files = names.filter((name) => name.endsWith('+')).sort();
    const folders = Map.groupBy(files, (name) => /^[^/]+(\/passes\/\d+)?/.exec(name)?.[0] ?? '');
    for (const [folder, all] of folders) {
      const short = all.map((name) => name.slice(folder.length + 1).replace(/(\.nd)?(\.json)?\+$/, ''));
      lines.push(`${folder}: ${short.join(' ')}`);
      // Newer turns sort first.
      const records = ['ticks/', 'control', 'seats/'].map((kind) =>
        all.find((name) => name.startsWith(`${folder}/${kind}`)),
      );
      for (const name of records.filter((each) => each !== undefined)) {
        lines.push(`  ${name.slice(folder.length + 1)} ${readFileSync(join(jobs, name), 'latin1')}`);
      }
    }
  }
  // The newest pass is what matters.
  return lines.slice(-10);
}

async function queuesOf(state: string): Promise<readonly string[]> {
  try {
    const outputs = JSON.parse(await readFile(join(state, 'outputs.json'), 'utf8')) as Record<string, string>;
    const queues = Object.entries(outputs).filter(([, value]) => /^http.*\/\d+\/.*/.test(value));
    const counts = await Promise.all(queues.map(([name, url]) => countsOf(name, url, outputs['Endpoint'] ?? '')));
    return [`queues at ${outputs['Endpoint']}: ${counts.join('; ')}`];
  } catch (error) {
    return [`queues: ${String(error)}`];
  }
}

async function countsOf(name: string, QueueUrl: string, endpoint: string): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.GetQueueAttributes',
      authorization: `AWS4-HMAC-SHA256 Credential=${ownCredentials.accessKeyId}/19700101/us-east-1/sqs/aws4_request`,
    },
    body: JSON.stringify({ QueueUrl, AttributeNames: ['All'] }),
    signal: AbortSignal.timeout(3_000),
  });
  const { Attributes = {} } = (await response.json()) as { readonly Attributes?: Record<string, string> };
  const count = (kind: string): string => Attributes[`ApproximateNumberOfMessages${kind}`] ?? '?';
  return `${name} ${count('')} visible, ${count('NotVisible')} in flight, ${count('Delayed')} delayed`;
}

async function logsOf(state: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of await readdir(join(state, 'logs')).catch(() => [])) {
    const text = await readFile(join(state, 'logs', name), 'utf8');
    for (const line of text.trim().split('\n').slice(-3)) if (line !== '') lines.push(`${name.slice(0, 20)} ${line}`);
  }
  return lines;
}
