import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleTasks, type FunctionCode } from '../src/bundle/bundle-tasks.ts';
import { findProject } from '../src/bundle/project.ts';

/** Which tasks are bundled, and for how long. */
export interface TaskCodeOptions {
  /** Folder of the tasks, relative to the working directory. @default the folder `tasks` beside the nearest package.json */
  readonly tasks: string | undefined;
  /** Whether the bundles stay when they have been used. */
  readonly keep: boolean;
}

/**
 * Bundles the functions with the tasks of a folder into a temporary one, which is gone when `use` has returned.
 *
 * @throws Error that names each task file which cannot be bundled: a deployment without it would be a surprise
 */
export function withTaskCode<Result>(
  { tasks, keep }: TaskCodeOptions,
  use: (code: Pick<FunctionCode, 'folder' | 'hash' | 'tasks'>) => Result,
): Result {
  const folder = tasks === undefined ? findProject(process.cwd()).tasks : path.resolve(tasks);
  if (folder !== undefined && !existsSync(folder))
    throw new Error(`expected the folder of the tasks at ${folder}, got none; "tasks" is relative to ${process.cwd()}`);
  const outDir = mkdtempSync(path.join(tmpdir(), 'fanloop-bundle-'));
  try {
    const code = bundleTasks({ tasks: folder, outDir });
    if (code.broken.length > 0) throw new Error(code.broken.map(({ problem }) => problem).join('\n'));
    return use(code);
  } finally {
    if (!keep) rmSync(outDir, { recursive: true, force: true });
  }
}
