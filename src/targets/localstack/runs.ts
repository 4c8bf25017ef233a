import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

const prefix = 'run-';

/** How the names of what a run writes begin: they tell whose it is. */
export const runPrefix = (): string => `${prefix}${process.pid}-`;

/** Removes the folders and logs of runs whose starter is gone; a process that was killed could not. */
export async function removeAbandonedRuns(home: string): Promise<void> {
  await mkdir(home, { recursive: true });
  const runs = (await readdir(home)).filter((name) => name.startsWith(prefix));
  const abandoned = runs.filter((name) => !isAlive(Number(name.slice(prefix.length).split('-', 1)[0])));
  await Promise.all(abandoned.map((name) => rm(path.join(home, name), { recursive: true, force: true })));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
