import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isClone, ownPackage } from './own-package.ts';

/** The engine that the package brings along: every function's code but for the registry of tasks. */
export interface Engine {
  /** Absolute path of its folder; it may be read-only. */
  readonly folder: string;
  /** Names of the tasks that come along, in alphabetical order. */
  readonly tasks: readonly string[];
}

/** What `prebuilt/engine.json` says. */
export interface EngineRecord {
  /** Name of the folder beside the file. */
  readonly folder: string;
  readonly tasks: readonly string[];
}

/** Size and time of each source that an engine was made from, by path from the root; only a clone has this. */
export type SourceStamps = Readonly<Record<string, string>>;

/** Folder of what is made when the package is built. */
export const prebuilt: string = path.join(ownPackage, 'prebuilt');

export const engineFile = 'engine.json';
export const sourcesFile = 'sources.json';

/** What of a clone decides about the engine beside its own sources: packages by their versions, and which tasks there are. */
export const furtherSources = ['package-lock.json', 'lambdas/tasks'] as const;

/** Tells whether a file has changed; folders change when a file is added or removed. */
export function stamp(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 'absent' : `${stats.isFile() ? stats.size : ''}@${stats.mtimeMs}`;
}

/**
 * Finds the engine; a clone whose sources have changed since builds it first (about a second).
 *
 * @throws Error when a source cannot be bundled
 */
export function findEngine(): Engine {
  if (isClone && !isFresh()) {
    // esbuild needs a plugin for the engine, which its synchronous API does not take.
    execFileSync(process.execPath, [path.join(ownPackage, 'src', 'bundle', 'prebuild.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const { folder, tasks } = readJson<EngineRecord>(engineFile);
  return { folder: path.join(prebuilt, folder), tasks };
}

function isFresh(): boolean {
  if (!existsSync(path.join(prebuilt, engineFile)) || !existsSync(path.join(prebuilt, sourcesFile))) return false;
  const stamps = Object.entries(readJson<SourceStamps>(sourcesFile));
  return stamps.every(([file, was]) => stamp(path.join(ownPackage, file)) === was);
}

/** This package's own build wrote the file. */
function readJson<Content>(name: string): Content {
  return JSON.parse(readFileSync(path.join(prebuilt, name), 'utf8')) as Content;
}
