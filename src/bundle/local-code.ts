import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeInCache } from './cache.ts';
import { engineHash, findEngine } from './engine.ts';
import { registryFile } from './engine-parts.ts';
import { isClone, ownPackage } from './own-package.ts';
import { cacheFolder, type Project, projectKey } from './project.ts';

/** The code of a project's functions on this machine. */
export interface LocalCode {
  /** Absolute path of the folder: the engine, and the bundles of the tasks that were used. */
  readonly folder: string;
  /** The same as a URL, with a slash at its end. */
  readonly base: string;
  /** Names of the tasks that come along. */
  readonly builtIn: readonly string[];
  /** Hash of the engine. */
  readonly hash: string;
}

/** One that is used now, and one of the version before. */
const kept = 2;
/** An embedded cloud of an older version, which loads from its folder whenever a process of a function starts, may run for so long. */
const unusedMs = 86_400_000;

/** Beginning of the names of folders that a process is filling; one of this age was left by a process that died. */
const workPrefix = 'tmp-';
const abandonedMs = 3_600_000;

/**
 * Finds or makes the folder of code for a project, in the user's cache; a change of its tasks changes no file of the engine there.
 *
 * @throws UsageError `InvalidOptions` when the cache is no folder that can be written
 */
export function localCode(project: Project, cache: string = cacheFolder()): LocalCode {
  const { tasks } = project;
  const engine = findEngine();
  const hash = engineHash(engine);
  const folder = codeFolder(project, hash, cache);
  const home = path.dirname(folder);
  if (!isKept(folder)) {
    const workDir = makeInCache(path.join(home, workPrefix), cache);
    copyWithoutMaps(engine.folder, workDir);
    writeFileSync(path.join(workDir, registryFile), registrySource(tasks, engine.tasks));
    try {
      renameSync(workDir, folder);
    } catch (error) {
      rmSync(workDir, { recursive: true, force: true });
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    }
    removeOld(home);
  }
  return { folder, base: `${pathToFileURL(folder).href}/`, builtIn: engine.tasks, hash };
}

/** Absolute path of the folder of a project's code, whether it stands or not. */
export const codeFolder = ({ root, tasks }: Project, hash: string, cache: string = cacheFolder()): string =>
  path.join(cache, 'code', projectKey(root, tasks ?? ''), hash);

/** Whether the folder stands; its time says from now on that it is in use, so that nobody removes it as an old one. */
function isKept(folder: string): boolean {
  try {
    utimesSync(folder, new Date(), new Date());
    return true;
  } catch (error) {
    // Somebody may remove it in this very moment, so it is not asked for first. Where a file stands above it, it cannot be made either.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return false;
    throw error;
  }
}

/** Maps of the engine's own files would be read at each start of a function, 35 ms of it; own tasks have theirs within. */
function copyWithoutMaps(from: string, to: string): void {
  for (const name of readdirSync(from).filter((file) => !file.endsWith('.map'))) {
    const text = readFileSync(path.join(from, name), 'utf8');
    writeFileSync(path.join(to, name), text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'));
  }
}

/** The functions bundle what no command has bundled, by the same code; what was bundled they only load. */
function registrySource(tasks: string | undefined, builtIn: readonly string[]): string {
  // Not beside this file, which may be in a bundle that does not outlive a build.
  const file = isClone ? 'src/bundle/task-cache.ts' : 'dist/src/bundle/task-cache.js';
  const bundler = pathToFileURL(path.join(ownPackage, file)).href;
  return [
    "import { localRegistry } from './local-registry.mjs';\n",
    "const base = new URL('.', import.meta.url).href;\n",
    `const own = { tasks: ${tasks === undefined ? 'undefined' : JSON.stringify(tasks)}, base };\n`,
    `const prepare = async (name) => (await import(${JSON.stringify(bundler)})).prepareTask(name, own);\n`,
    `export const tasks = localRegistry({ ...own, builtIn: ${JSON.stringify(builtIn)}, prepare });\n`,
  ].join('');
}

function removeOld(home: string): void {
  const folders = readdirSync(home)
    .map((name) => ({ name, folder: path.join(home, name) }))
    .map(({ name, folder }) => ({
      folder,
      isBeingMade: name.startsWith(workPrefix),
      usedMs: statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.usedMs - a.usedMs);
  const left = folders.filter(({ isBeingMade, usedMs }) => isBeingMade && Date.now() - usedMs > abandonedMs);
  const old = folders
    .filter(({ isBeingMade }) => !isBeingMade)
    .slice(kept)
    .filter(({ usedMs }) => Date.now() - usedMs > unusedMs);
  for (const { folder } of [...left, ...old]) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another process removes it too.
    }
  }
}
