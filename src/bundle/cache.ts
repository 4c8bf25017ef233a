import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { makeFolders } from '../runtime/private-files.ts';
import { UsageError } from '../task/errors.ts';

/**
 * Makes a new folder within the user's cache, `prefix` being its path without the random end of its name.
 *
 * @throws UsageError `InvalidOptions` when the cache is no folder that can be written
 */
export function makeInCache(prefix: string, cache: string): string {
  try {
    makeFolders(path.dirname(prefix));
    return mkdtempSync(prefix);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new UsageError(
      'InvalidOptions',
      `expected the cache folder ${cache} to be one that can be written, got ${reason}; choose another by XDG_CACHE_HOME`,
      { cause },
    );
  }
}
