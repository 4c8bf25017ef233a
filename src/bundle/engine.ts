import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isClone, ownPackage } from './own-package.ts';
import type { TemplateJson } from './stack-template.ts';

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

/** Names of the files in `prebuilt`; those of stamps are of use in a clone only. */
export const prebuiltFiles = {
  engine: 'engine.json',
  engineSources: 'engine-sources.json',
  /** The command line in one piece, and the stamps of what it was made from. */
  command: 'command.json',
  template: 'template.json',
  templateSources: 'template-sources.json',
} as const;

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
  requireFresh('engine', 'engineSources');
  const { folder, tasks } = readPrebuilt<EngineRecord>('engine');
  return { folder: path.join(prebuilt, folder), tasks };
}

/** The engine that was built last, fresh or not; undefined where none was. */
export function lastEngine(): Engine | undefined {
  try {
    const { folder, tasks } = readPrebuilt<EngineRecord>('engine');
    return { folder: path.join(prebuilt, folder), tasks };
  } catch {
    return undefined;
  }
}

/** Reads the template of the default stack; a clone whose constructs have changed since makes it first (about two seconds). */
export function readStackTemplate(): TemplateJson {
  requireFresh('template', 'templateSources');
  return readPrebuilt<TemplateJson>('template');
}

/** What this process has found fresh, or made so: hundreds of files are looked at once, not at each use. */
const known = new Set<string>();

function requireFresh(part: 'engine' | 'template', sources: keyof typeof prebuiltFiles): void {
  if (!isClone || known.has(part)) return;
  if (!isFresh(part, sources)) rebuild(part);
  known.add(part);
}

function rebuild(part: 'engine' | 'template'): void {
  // esbuild needs a plugin for the engine, which its synchronous API does not take; and the CDK takes a while to load.
  execFileSync(process.execPath, [path.join(ownPackage, 'build', 'prebuild.ts'), part], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function isFresh(part: keyof typeof prebuiltFiles, sources: keyof typeof prebuiltFiles): boolean {
  if (![part, sources].every((file) => existsSync(path.join(prebuilt, prebuiltFiles[file])))) return false;
  const stamps = Object.entries(readPrebuilt<SourceStamps>(sources));
  return stamps.every(([file, was]) => stamp(path.join(ownPackage, file)) === was);
}

/** This package's own build wrote the file. */
const readPrebuilt = <Content>(file: keyof typeof prebuiltFiles): Content =>
  JSON.parse(readFileSync(path.join(prebuilt, prebuiltFiles[file]), 'utf8')) as Content;

/** Hash of an engine's bytes: its folder is named by it. */
export const engineHash = ({ folder }: Engine): string => path.basename(folder).replace(/^functions-/, '');
