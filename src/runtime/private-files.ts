import { chmodSync, mkdirSync } from 'node:fs';

/** Items, rows, and logs may hold secrets, so what this machine keeps of jobs is for its owner's eyes, whatever the umask. */
export const privateFile = { mode: 0o600 } as const;

/** For folders; those that exist keep the mode they have. */
export const privateFolder = { recursive: true, mode: 0o700 } as const;

/** Makes a folder of the state, and closes one that an earlier version left open to others: nobody else gets to what is in it. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, privateFolder);
  chmodSync(folder, privateFolder.mode);
}
