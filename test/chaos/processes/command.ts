import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../../src/format/outcome.ts';
import type { Summary } from '../../../src/format/summary.ts';
import { type CliProcess, parseLines } from '../../cli/cli-process.ts';

/** The id of the job that a command has begun, which is said before its first call can happen; undefined where it ended before. */
export async function jobOf(command: CliProcess): Promise<string | undefined> {
  let stdout = '';
  const said = new Promise<string>((resolve) => {
    command.child.stdout?.on('data', (text: string) => {
      stdout += text;
      const id = /"type":"submitted","jobId":"([^"]+)"/.exec(stdout)?.[1];
      if (id !== undefined) resolve(id);
    });
  });
  return Promise.race([said, command.ended.then(() => undefined)]);
}

/** The summary with which a command has ended. */
export function summaryOf(stdout: string): Summary | undefined {
  const lines = parseLines(stdout.slice(0, stdout.lastIndexOf('\n') + 1)) as Array<{ readonly type: string }>;
  // The command wrote it under this type.
  return lines.find(({ type }) => type === 'summary') as Summary | undefined;
}

/** The rows that the command has written. */
export const rowsIn = async (file: string): Promise<readonly Row[]> =>
  parseLines(await readFile(file, 'utf8')) as Row[];

/** What a promise comes to, if that is within a time. */
export async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/** Ends a process, which hands over first if it can. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
  await exited;
  clearTimeout(timer);
}
