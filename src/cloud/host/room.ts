import { closeSync, openSync } from 'node:fs';
import { UsageError } from '../../task/errors.ts';

/** What an owner has open at once with five workers: their pipes and channels, their connections, and objects on the disk. */
const neededFiles = 120;

/**
 * Refuses to begin where the process may open too few files, before anything of a job is lost in the middle.
 *
 * @throws UsageError `TooManyFiles` that says what raises the limit
 */
export function requireRoom(): void {
  const opened: number[] = [];
  try {
    while (opened.length < neededFiles) opened.push(openSync('/dev/null', 'r'));
  } catch (cause) {
    const code = Object(cause).code;
    // A platform without this file has no such limit either.
    if (code !== 'EMFILE' && code !== 'ENFILE') return;
    throw new UsageError(
      'TooManyFiles',
      `expected room for ${neededFiles} more open files, got ${opened.length}; "ulimit -n 4096" raises the limit of this shell`,
      { cause },
    );
  } finally {
    for (const file of opened) closeSync(file);
  }
}
