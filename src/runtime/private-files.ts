import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Items, rows, and logs may hold secrets, so what this machine keeps of jobs is for its owner's eyes, whatever the umask. */
export const privateFile = { mode: 0o600 } as const;

/** For folders; those that exist keep the mode they have. */
export const privateFolder = { recursive: true, mode: 0o700 } as const;

/** Makes a folder of the state, and closes one that an earlier version left open to others: nobody else gets to what is in it. */
export function makePrivateFolder(folder: string): void {
  makeFolders(folder, privateFolder);
  chmodSync(folder, privateFolder.mode);
}

/**
 * Makes a folder, and those above it that are absent. Node's `recursive` asks for ever, and takes no signal meanwhile, where a file
 * system has the folder above and takes none below it, as /proc does.
 *
 * @throws Error of the system, with its `code`
 */
export function makeFolders(folder: string, options: { readonly mode?: number } = {}): void {
  const problem = problemOf(folder, options);
  if (problem === undefined) return;
  const above = dirname(folder);
  if (codeOf(problem) !== 'ENOENT' || above === folder) throw problem;
  makeFolders(above, options);
  // Tried once more, and not asked before whether the one above is there: somebody else may just have made it.
  const again = problemOf(folder, options);
  if (again !== undefined) throw again;
}

/** Makes one folder; what hinders that, if it is not there already. */
function problemOf(folder: string, { mode = 0o777 }: { readonly mode?: number }): unknown {
  try {
    mkdirSync(folder, { mode });
    return undefined;
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
    return isThere ? undefined : error;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
