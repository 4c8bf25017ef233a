import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const door = path.resolve(import.meta.dirname, '../../bin/fanloop.js');

/** How a command line ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs in a process of its own. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has written so far. */
  readonly output: () => Omit<Ended, 'code'>;
  /** Resolves when stderr has said something that matches. @throws Error when the process ends without it */
  said(pattern: RegExp): Promise<string>;
}

interface StartOptions {
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to stdin, which is empty by default. */
  readonly stdin?: string | Uint8Array;
  /** The test itself writes to stdin. @default false */
  readonly keepsStdinOpen?: boolean;
}

/** Starts `fanloop` with arguments; colours and debugging are as on a machine where nobody has set them. */
export function startCli(args: readonly string[], options: StartOptions = {}): CliProcess {
  const { NO_COLOR: _n, FORCE_COLOR: _f, FANLOOP_DEBUG: _d, ...inherited } = process.env;
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), door, ...args], {
    env: { ...inherited, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that refuses its arguments ends before it has read its input.
  child.stdin.on('error', () => {});
  if (options.keepsStdinOpen !== true) child.stdin.end(options.stdin ?? '');
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, stdout, stderr }));
  return {
    child,
    ended,
    output: () => ({ stdout, stderr }),
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(stderr);
          if (found !== null) resolve(found[1] ?? found[0]);
        };
        look();
        child.stderr.on('data', look);
        ended.then(() => reject(new Error(`expected stderr to say ${pattern}, got ${stderr}`)), reject);
      }),
  };
}

/** Runs `fanloop` to its end. */
export const runCli = (args: readonly string[], options?: StartOptions): Promise<Ended> =>
  startCli(args, options).ended;

/** A temporary folder for a suite; `remove` deletes it. */
export async function makeFolder(): Promise<{
  readonly at: (name: string) => string;
  readonly remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fanloop-cli-'));
  return {
    at: (name) => path.join(folder, name),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The rows or events of NDJSON. */
export const parseLines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
