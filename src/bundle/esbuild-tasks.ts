import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, type BuildOptions, type BuildResult, buildSync, type Message } from 'esbuild';
import { faceFile, faces, placeDefines, requireBanner } from './engine-parts.ts';
import { taskModule } from './local-registry.ts';
import type { TaskFile } from './task-files.ts';

/** A task file that cannot be used. */
export interface BrokenTask {
  readonly name: string;
  /** Absolute path of the task's file. */
  readonly file: string;
  /** One sentence: where (`tasks/look-up.ts:3:14`), and what is wrong. */
  readonly problem: string;
}

/** Where bundles run: in the functions' code, the same bytes on every machine; or on this machine, where errors name its files. */
export type TaskBundlesUse = 'deployed' | 'local';

/** Tasks that were bundled. */
export interface TaskBundles {
  /** Files to write, names without folders. */
  readonly files: readonly { readonly name: string; readonly contents: Uint8Array }[];
  /** Each task's name and its module among the files. */
  readonly tasks: ReadonlyMap<string, string>;
  readonly broken: readonly BrokenTask[];
  /** Faces that something requires as CommonJS; they have to be loaded before. */
  readonly required: readonly string[];
  /** Absolute paths of all files that were read. */
  readonly inputs: readonly string[];
}

type Built = BuildResult<{ write: false; metafile: true }>;

/**
 * Bundles task files with what they import, but for this package's own faces, which are the engine's.
 * A file that exports no `task` is a helper; one that cannot be bundled is broken, and spoils no other.
 */
export function esbuildTasks(files: readonly TaskFile[], root: string, use: TaskBundlesUse = 'deployed'): TaskBundles {
  const broken: BrokenTask[] = [];
  const whole = attempt(files, root, use);
  let good = files;
  if (!whole.ok && files.length > 1) {
    // A problem may be in a helper of several, so each is tried by itself.
    good = files.filter((file) => {
      const alone = attempt([file], root, use);
      if (!alone.ok) broken.push({ ...file, problem: alone.problem });
      return alone.ok;
    });
  } else if (!whole.ok) {
    good = [];
    broken.push(...files.map((file) => ({ ...file, problem: whole.problem })));
  }
  if (good.length === 0) return { files: [], tasks: new Map(), broken, required: [], inputs: [] };
  const built = whole.ok ? whole : attempt(good, root, use);
  // Each was bundled alone a moment ago.
  if (!built.ok) throw new Error(built.problem);
  return { ...describe(good, root, built.result), broken };
}

function attempt(
  files: readonly TaskFile[],
  root: string,
  use: TaskBundlesUse,
): { readonly ok: true; readonly result: Built } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, result: buildSync(optionsFor(files, root, use)) };
  } catch (error) {
    const [first] = isFailure(error) ? error.errors : [];
    if (first === undefined) throw error;
    return { ok: false, problem: sentence(first) };
  }
}

function optionsFor(
  files: readonly TaskFile[],
  root: string,
  use: TaskBundlesUse,
): BuildOptions & { readonly write: false; readonly metafile: true } {
  const names = Object.keys(faces).sort((a, b) => b.length - a.length);
  return {
    absWorkingDir: root,
    entryPoints: Object.fromEntries(files.map(({ name, file }) => [taskModule(name), file])),
    // Nothing is written here: source maps name their sources from the project's folder.
    outdir: root,
    write: false,
    bundle: true,
    // Deployed tasks share what they both import; on this machine each is by itself, so that the others cost it nothing.
    splitting: use === 'deployed',
    chunkNames: 'part-[hash]',
    platform: 'node',
    target: 'node22',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    alias: Object.fromEntries(names.map((name) => [name, faceFile(name)])),
    external: names.map(faceFile),
    // Names stay as they were written: failures are counted by the names of error classes.
    minifyWhitespace: true,
    minifySyntax: true,
    ...(use === 'deployed'
      ? { sourcemap: 'linked' }
      : { sourcemap: 'inline', sourceRoot: `${pathToFileURL(root).href}/` }),
    sourcesContent: false,
    legalComments: 'none',
    charset: 'utf8',
    banner: { js: requireBanner },
    define: placeDefines,
    metafile: true,
    logLevel: 'silent',
  };
}

function describe(files: readonly TaskFile[], root: string, result: Built): Omit<TaskBundles, 'broken'> {
  const { inputs, outputs } = result.metafile;
  const tasks = new Map<string, string>();
  for (const { name, file } of files) {
    const module = `${taskModule(name)}.mjs`;
    const exported = outputs[module]?.exports ?? [];
    const source = inputs[path.relative(root, file).replaceAll(path.sep, '/')];
    // What a CommonJS module exports is known only when it runs.
    if (exported.includes('task') || source?.format === 'cjs') tasks.set(name, `./${module}`);
  }
  const required = new Set(
    Object.values(outputs)
      .flatMap(({ imports }) => imports)
      .filter(({ kind, external, path: target }) => kind === 'require-call' && external === true && isFace(target))
      .map(({ path: target }) => target),
  );
  return {
    files: result.outputFiles.map(({ path: file, contents }) => ({ name: path.relative(root, file), contents })),
    tasks,
    required: [...required].sort(),
    inputs: Object.keys(inputs).map((input) => path.resolve(root, input)),
  };
}

const isFace = (target: string): boolean => Object.keys(faces).some((name) => faceFile(name) === target);

const isFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

/** Where and what, as `tasks/look-up.ts:3:14: Expected ";" but found "x"`. */
function sentence({ location, text, notes }: Message): string {
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
  const hint = notes[0]?.text ?? '';
  return `${place}${text}${/could not resolve/i.test(text) && hint !== '' ? ` (${hint.split('\n')[0]})` : ''}`;
}
