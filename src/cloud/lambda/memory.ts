import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How often an environment's memory is looked at while an invocation runs, in milliseconds. */
export const memoryWatchMs = 500;

/**
 * Measures the memory of a process and its descendants in bytes: resident pages, those of descendants without the files
 * that they share. Resolves to undefined when the process is gone.
 */
export async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    return process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  } catch {
    return undefined;
  }
}

async function fromProc(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  let bytes = kilobytes(status, 'VmRSS') * 1_024;
  for (const child of await descendants(pid)) {
    bytes += kilobytes(await readFile(`/proc/${child}/status`, 'utf8').catch(() => ''), 'RssAnon') * 1_024;
  }
  return bytes;
}

async function descendants(pid: number): Promise<readonly number[]> {
  // Not every kernel has this list; then descendants are not counted.
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const further = await Promise.all(children.map((child) => descendants(child)));
  return [...children, ...further.flat()];
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

async function fromPs(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) * 1_024;
}
