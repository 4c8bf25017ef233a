import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Engine, findEngine } from './engine.ts';
import { builtInFile, registryFile } from './engine-parts.ts';
import { type BrokenTask, esbuildTasks } from './esbuild-tasks.ts';
import { findTaskFiles } from './task-files.ts';

/** Where tasks come from, and where the code of the functions is put. */
export interface BundleTasksOptions {
  /** Absolute path of the folder of task files. @default only the tasks that come along */
  readonly tasks?: string | undefined;
  /** Absolute path of the folder that becomes the code of all four functions; made when absent, and should be empty. */
  readonly outDir: string;
  /** The engine that tasks are added to. @default the package's own */
  readonly engine?: Engine;
}

/** The code of the functions: one folder, from which each function is started by its own handler. */
export interface FunctionCode {
  /** Absolute path of the folder: `outDir`. The handlers are `fan-out.handler`, `worker.handler`, `tick.handler`, `dead-letter.handler`. */
  readonly folder: string;
  /** Hash of all its bytes: 16 hexadecimal digits, the same for the same sources on every machine. */
  readonly hash: string;
  /** Names of all tasks that it has, those that come along included, in alphabetical order. */
  readonly tasks: readonly string[];
  /** Task files that were left out because they cannot be bundled; every other task works. */
  readonly broken: readonly BrokenTask[];
}

/**
 * Bundles a folder of tasks onto a copy of the engine; synchronous, so that a construct can do it while an app is synthesized.
 * Needs esbuild and nothing of the CDK.
 *
 * Each file of the folder and its subfolders that exports a `task` is one, by the name of its path (`users/find`); files that
 * begin with `_` or export none are helpers. An own task takes the place of one that comes along by the same name.
 *
 * @throws Error when the folder cannot be read
 * @example
 * const { folder, hash, broken } = bundleTasks({ tasks: '/home/me/project/tasks', outDir: mkdtempSync('/tmp/code-') });
 */
export function bundleTasks({ tasks: source, outDir, engine = findEngine() }: BundleTasksOptions): FunctionCode {
  const own = source === undefined ? undefined : esbuildTasks(findTaskFiles(source), path.dirname(source));
  const modules = new Map([...engine.tasks.map((name) => [name, builtInFile(name)] as const), ...(own?.tasks ?? [])]);
  for (const { name } of own?.broken ?? []) modules.delete(name);
  const tasks = [...modules.keys()].sort();

  mkdirSync(outDir, { recursive: true });
  cpSync(engine.folder, outDir, { recursive: true });
  for (const { name, contents } of own?.files ?? []) writeFileSync(path.join(outDir, name), contents);
  writeFileSync(path.join(outDir, registryFile), registrySource(tasks, modules, own?.required ?? []));
  return { folder: outDir, hash: hashOf(outDir), tasks, broken: own?.broken ?? [] };
}

/** The module that knows the tasks. What CommonJS requires of the engine has to be loaded before, and by a static import. */
function registrySource(
  tasks: readonly string[],
  modules: ReadonlyMap<string, string>,
  required: readonly string[],
): string {
  const entries = tasks.map(
    (name) => `  ${JSON.stringify(name)}: () => import(${JSON.stringify(modules.get(name))}),\n`,
  );
  return [
    ...required.map((face) => `import '${face}';\n`),
    "import { lazyRegistry } from './registry.mjs';\n",
    `export const tasks = lazyRegistry({\n${entries.join('')}});\n`,
  ].join('');
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const contents = readFileSync(path.join(folder, name));
    hash.update(`${name}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex').slice(0, 16);
}
