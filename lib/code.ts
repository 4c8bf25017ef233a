import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundles, FunctionName } from './bundle.ts';
import type { FanloopProps } from './fanloop-props.ts';

/** The code of a stack's functions, as long as {@link withTaskCode} lends it. */
export interface TaskCode {
  /** Absolute path of the folder of a function's bundle. */
  readonly folder: (name: FunctionName) => string;
  /** File and export of a function in its folder, as in `worker.handler`. */
  readonly handler: (name: FunctionName) => string;
  /** Hash of all bundles' code: 16 hexadecimal digits. */
  readonly hash: string;
}

/** Bundles the functions with the tasks of the folders, and removes the bundles when they have been used. @throws Error that names file, line, and reason */
export function withTaskCode<Result>(
  { tasks, keep }: { readonly tasks: FanloopProps['tasks']; readonly keep: boolean },
  use: (code: TaskCode) => Result,
): Result {
  const taskFolders = tasks === undefined ? ownTasks() : typeof tasks === 'string' ? [tasks] : tasks;
  const outDir = mkdtempSync(path.join(tmpdir(), 'fanloop-bundles-'));
  try {
    const { folders, hash } = bundle(taskFolders, outDir);
    return use({ hash, folder: (name) => folders[name], handler: () => 'index.handler' });
  } finally {
    if (!keep) rmSync(outDir, { recursive: true, force: true });
  }
}

/** The folder `tasks` beside the nearest package.json, where there is one. */
export function ownTasks(from: string = process.cwd()): readonly string[] {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) {
      const tasks = path.join(folder, 'tasks');
      return existsSync(tasks) ? [tasks] : [];
    }
    if (path.dirname(folder) === folder) return [];
  }
}

function bundle(taskFolders: readonly string[], outDir: string): Bundles {
  const root = path.dirname(import.meta.dirname);
  const options = { root, outDir, taskFolders: taskFolders.map((folder) => path.relative(root, path.resolve(folder))) };
  const script = `
    import { bundleFunctions } from ${JSON.stringify(path.join(import.meta.dirname, 'bundle.ts'))};
    try {
      console.log(JSON.stringify(await bundleFunctions(${JSON.stringify(options)})));
    } catch (error) {
      process.stderr.write(error.message);
      process.exitCode = 2;
    }`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout);
}
