import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { nearestPackage } from './own-package.ts';

/** Somebody's project: what a command works for. */
export interface Project {
  /** Absolute path: the nearest folder with a package.json, or the one that was asked from. */
  readonly root: string;
  /** Absolute path of the folder of its own tasks; undefined where it has none. */
  readonly tasks: string | undefined;
}

/** The nearest folder with a package.json, or the one that was asked from. */
export const projectRoot = (from: string): string => nearestPackage(from) ?? from;

/**
 * Finds the project of a folder. Its tasks are in `tasks/`, or where its package.json says: `"fanloop": {"tasks": "src/tasks"}`.
 *
 * @throws Error when the folder of tasks that is asked for does not exist
 */
export function findProject(from: string, asked?: string): Project {
  const root = projectRoot(from);
  if (asked !== undefined) return { root, tasks: existing(path.resolve(from, asked), 'of --tasks') };
  const configured = configuredTasks(path.join(root, 'package.json'));
  if (configured !== undefined)
    return { root, tasks: existing(path.resolve(root, configured), 'that package.json names') };
  const usual = path.join(root, 'tasks');
  return { root, tasks: existsSync(usual) ? usual : undefined };
}

/** The user's cache folder for this package. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return path.join(userCacheFolder(env, platform), 'fanloop');
}

/** A name for what a project keeps in the cache: its own, and a hash of its place. */
export function projectKey(root: string, ...further: readonly string[]): string {
  const hash = createHash('sha256')
    .update([root, ...further].join('\0'))
    .digest('hex')
    .slice(0, 8);
  return `${path.basename(root)}-${hash}`;
}

function existing(folder: string, which: string): string {
  if (existsSync(folder)) return folder;
  throw new Error(`expected the folder of tasks ${which} to exist, got none at ${folder}`);
}

function configuredTasks(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('fanloop' in manifest)) return undefined;
  const { fanloop } = manifest;
  if (typeof fanloop !== 'object' || fanloop === null || !('tasks' in fanloop)) return undefined;
  if (typeof fanloop.tasks === 'string' && fanloop.tasks !== '') return fanloop.tasks;
  throw new Error(
    `expected "fanloop": {"tasks": …} of ${file} to be the path of a folder, got ${JSON.stringify(fanloop.tasks)}`,
  );
}

function userCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG specification says that a relative path is to be ignored.
  if (xdg !== undefined && path.isAbsolute(xdg)) return xdg;
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  if (platform === 'win32') return env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local');
  return path.join(homedir(), '.cache');
}
