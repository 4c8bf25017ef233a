import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environmentNames } from '../src/runtime/environment.ts';
import { has } from './servers.ts';

/** What a contender is given: a file of URLs as JSON texts, one a line; where its rows go; its folder of state. */
export interface Work {
  readonly input: string;
  readonly output: string;
  readonly atOnce: number;
  readonly state: string;
}

/** One way to make many calls. */
export interface Contender {
  readonly name: string;
  /** What runs it, for the table. */
  readonly how: string;
  /** Why it cannot run here; absent where it can. */
  readonly missing?: string | undefined;
  /** Runs a suite once, however many rounds the others have: it is far from them, and the whole has to end within a quarter of an hour. @default false */
  readonly once?: boolean;
  readonly command: (work: Work) => readonly string[];
}

/** Versions of the peers, as of November 2026. They are installed into a folder of their own, and are no dependencies of the package. */
const peerPackages = ['undici@8.12.4', 'p-map@7.1.1', 'bullmq@6.7.0', 'ioredis@6.0.0', '@aws-sdk/client-sqs@3.1169.0'];

const root = path.join(import.meta.dirname, '..');
const own = path.join(import.meta.dirname, 'peers');

/** Installs what is missing, and lists all contenders; those that cannot run here say why. */
export function openContenders(home: string): readonly Contender[] {
  const folder = path.join(home, 'peers');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(own)) copyFileSync(path.join(own, file), path.join(folder, file));
  const npmMissing = installPeers(folder);
  const python = installPython(home);
  const script =
    (file: string, ...more: string[]) =>
    ({ input, output, atOnce }: Work): readonly string[] => [
      process.execPath,
      path.join(folder, file),
      input,
      output,
      String(atOnce),
      ...more,
    ];
  return [
    { name: 'bare', how: 'undici.request in N coroutines', missing: npmMissing, command: script('bare.mjs') },
    { name: 'p-map', how: 'p-map over undici.request', missing: npmMissing, once: true, command: script('p-map.mjs') },
    { name: 'fetch', how: "p-map over Node's fetch", missing: npmMissing, once: true, command: script('fetch.mjs') },
    { name: 'fanloop', how: 'fanloop run http on this machine, 2 workers', command: runHttp },
    {
      name: 'fanloop-sdk',
      how: 'the same with its functions on the AWS SDK, as deployed ones are',
      once: true,
      command: (work) => ['env', `${environmentNames.sdk}=true`, ...runHttp(work)],
    },
    {
      name: 'bullmq',
      how: 'BullMQ with Redis, 2 workers',
      missing: npmMissing ?? (has('redis-server') ? undefined : 'redis-server is not installed'),
      command: script('bullmq.mjs'),
    },
    {
      name: 'sqs-batch',
      how: 'SQS in batches of ten as Powertools does, 2 workers',
      missing: npmMissing,
      once: true,
      command: script('sqs-batch.mjs', path.join(import.meta.dirname, 'sqs-server.ts')),
    },
    {
      name: 'asyncio',
      how: 'Python asyncio with aiohttp',
      missing: python.missing,
      once: true,
      command: ({ input, output, atOnce }) => [
        python.path,
        path.join(own, 'aiohttp_loop.py'),
        input,
        output,
        String(atOnce),
      ],
    },
  ];
}

/** A hundred calls each, in one process until it is busy. */
const runHttp = ({ input, output, state }: Work): readonly string[] => [
  process.execPath,
  path.join(root, 'bin', 'fanloop.js'),
  ...['run', 'http', '--input', input, '--out', output, '--workers', '2'],
  ...['--state', state],
];

function installPeers(folder: string): string | undefined {
  if (existsSync(path.join(folder, 'node_modules', 'bullmq'))) return undefined;
  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...peerPackages], {
    cwd: folder,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `npm could not install the peers: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

function installPython(home: string): { readonly path: string; readonly missing?: string } {
  const venv = path.join(home, 'venv');
  const python = path.join(venv, 'bin', 'python');
  if (!existsSync(path.join(venv, 'installed'))) {
    const made = spawnSync('python3', ['-m', 'venv', venv]);
    if (made.status !== 0) return { path: python, missing: 'python3 with venv is not installed' };
    const { status } = spawnSync(python, ['-m', 'pip', 'install', '--quiet', 'aiohttp==3.14.5'], { stdio: 'ignore' });
    if (status !== 0) return { path: python, missing: 'pip could not install aiohttp' };
    writeFileSync(path.join(venv, 'installed'), '');
  }
  return { path: python };
}
