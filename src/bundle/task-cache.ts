import { createHash } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stamp } from './engine.ts';
import { readPointer, type TaskPointer, taskModule } from './local-registry.ts';
import { findTaskFile, type TaskFile } from './task-files.ts';

/** Where a project's own tasks are, and where their bundles go. */
export interface TaskCacheOptions {
  /** Absolute path of the folder of task files; undefined where the project has none. */
  readonly tasks: string | undefined;
  /** URL of the folder with the engine and the bundles, with a slash at its end. */
  readonly base: string;
}

/** A task file that cannot be used; `message` names file, line, and reason. */
export class BrokenTaskFile extends Error {
  override readonly name = 'BrokenTaskFile';
  /** The file is well, but exports no task. */
  readonly isHelper: boolean;
  constructor(message: string, options: ErrorOptions & { readonly isHelper?: boolean } = {}) {
    super(message, options);
    this.isHelper = options.isHelper ?? false;
  }
}

/**
 * Bundles an own task by itself unless its bundle stands and none of its files has changed; undefined where no file has the name.
 *
 * @throws BrokenTaskFile when it cannot be bundled
 */
export async function prepareTask(name: string, options: TaskCacheOptions): Promise<TaskPointer | undefined> {
  const file = options.tasks === undefined ? undefined : findTaskFile(options.tasks, name);
  if (file === undefined) return undefined;
  const known = readPointer(options.base, name);
  return known !== undefined && isFresh(known, file) ? known : bundle(file, options);
}

/** The bundler is loaded only where something has changed: that alone takes as long as an item of 20 ms. */
async function bundle(file: TaskFile, { tasks = '', base }: TaskCacheOptions): Promise<TaskPointer> {
  const { esbuildTasks } = await import('./esbuild-tasks.ts');
  const root = path.dirname(tasks);
  const { files, tasks: modules, broken, required, inputs } = esbuildTasks([file], root, 'local');
  const [problem] = broken;
  if (problem !== undefined) throw new BrokenTaskFile(problem.problem);
  // What decides how files are read counts as well, whether it is there or not.
  const read = [...inputs, path.join(root, 'tsconfig.json'), path.join(root, 'package.json')];
  const stamps = Object.fromEntries(read.map((input) => [input, stamp(input)]));
  const [output] = files;
  if (output === undefined || !modules.has(file.name)) return write(base, file.name, { required, inputs: stamps });
  const hash = createHash('sha256').update(output.contents).digest('hex').slice(0, 12);
  const module = `${taskModule(file.name)}.${hash}.mjs`;
  const target = new URL(module, base);
  if (!existsSync(target)) writeWhole(target, output.contents);
  return write(base, file.name, { module, required, inputs: stamps });
}

function isFresh({ inputs }: TaskPointer, { file }: TaskFile): boolean {
  return Object.hasOwn(inputs, file) && Object.entries(inputs).every(([input, was]) => stamp(input) === was);
}

function write(base: string, name: string, pointer: TaskPointer): TaskPointer {
  writeWhole(new URL(`${taskModule(name)}.json`, base), JSON.stringify(pointer));
  return pointer;
}

/** Another process may read or write the same file now. */
function writeWhole(target: URL, contents: string | Uint8Array): void {
  const work = new URL(`${target.href}.${process.pid}.tmp`);
  writeFileSync(work, contents);
  renameSync(work, target);
}
