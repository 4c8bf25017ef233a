import { existsSync } from 'node:fs';
import path from 'node:path';

/** Absolute path of Fanloop's own package: the nearest folder with a package.json, wherever this file was compiled to. */
export const ownPackage: string = nearestPackage(import.meta.dirname) ?? import.meta.dirname;

/** Whether this is a clone of the repository, which runs from its sources; an installed package has none. */
export const isClone: boolean = existsSync(path.join(ownPackage, 'lambdas', 'worker.ts'));

/** The nearest folder from `start` upwards with a package.json; undefined where there is none. */
export function nearestPackage(start: string): string | undefined {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}
