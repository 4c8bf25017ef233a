import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a lock that one holder at a time can have, in any number of processes; undefined when another has it (or tries in the same moment).
 *
 * It is SQLite's exclusive lock on an empty database, that is a lock of the operating system on an open file: it is gone when its process is,
 * however that ended, so there is no stale lock to recognise and no pid to compare. Node has no such lock of its own. Nothing is ever
 * written into the file. Nothing else in the process may open and close it, since on POSIX that would free the lock.
 */
export function tryLock(file: string): FolderLock | undefined {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** A lock that this process holds. */
export interface FolderLock {
  release(): void;
}

/** SQLITE_BUSY with any of its extensions. https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}
