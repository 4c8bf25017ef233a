import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** A file that may hold a task. */
export interface TaskFile {
  /** The task's name: the path from the folder without its ending, as `look-up` or `users/find`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
}

/** Endings of task files; the first one wins where a file was compiled beside its source. */
const endings = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'];

/** What a task's name may be: it stands in commands, in logs, and in names of metrics. */
const namePattern = /^[A-Za-z0-9][\w-]*(?:\/[A-Za-z0-9][\w-]*)*$/;

/**
 * Finds the files of a folder and its subfolders that may hold a task, in the order of their names. No task is what begins with `_`
 * or a dot, a declaration, a test beside its task (`look-up.test.ts`), or anything in `node_modules`.
 *
 * @throws Error when the folder cannot be read
 */
export function findTaskFiles(folder: string): readonly TaskFile[] {
  const found = new Map<string, TaskFile>();
  for (const relative of filesOf(folder, '')) {
    const ending = path.extname(relative);
    const name = relative.slice(0, relative.length - ending.length);
    if (!namePattern.test(name)) continue;
    const other = found.get(name);
    if (other !== undefined && endings.indexOf(path.extname(other.file)) < endings.indexOf(ending)) continue;
    found.set(name, { name, file: path.join(folder, relative) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file of one task; undefined where none has the name. */
export function findTaskFile(folder: string, name: string): TaskFile | undefined {
  if (!namePattern.test(name)) return undefined;
  const file = endings
    .map((ending) => path.join(folder, `${name}${ending}`))
    .find((candidate) => existsSync(candidate));
  return file === undefined ? undefined : { name, file };
}

/** Paths with slashes, from the folder. */
function filesOf(folder: string, below: string): readonly string[] {
  return readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    if (/^[._]/.test(entry.name) || entry.name === 'node_modules') return [];
    const relative = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return filesOf(folder, relative);
    return endings.includes(path.extname(entry.name)) ? [relative] : [];
  });
}
