import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
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
  const { mode = 0o777 } = options;
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const above = dirname(folder);
    if (code !== 'ENOENT' || existsSync(above)) throw error;
    makeFolders(above, options);
    makeFolders(folder, options);
  }
}
