import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import {
  builtInFile,
  faceFile,
  faces,
  functionNames,
  placeDefines,
  registryFile,
  requireBanner,
} from './engine-parts.ts';
import { mergeChunks } from './merge-chunks.ts';
import { isPlainBuiltin, plainBuiltinsPlugin } from './plain-builtins.ts';
import { slimSdkPlugin } from './slim-sdk.ts';

/** What each thread of the pool starts with. */
const poolWorker = 'pool-worker';

/** The pool looks for its threads' file beside its own source, by a name that another file has in a bundle. */
const poolWorkerPlugin: Plugin = {
  name: 'pool-worker',
  setup(builder) {
    builder.onLoad({ filter: /piscina[\\/]dist[\\/]index\.js$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const contents = source.replace("(__dirname, 'worker.js')", `(__dirname, '${poolWorker}.mjs')`);
      if (contents === source)
        throw new Error('expected the thread pool to name its worker.js, got another version of it');
      return { contents, loader: 'js' };
    });
  },
};

/** To find and link one more file takes as long as to read this. */
export const smallBytes = 4_096;

/** An engine that was built. */
export interface BuiltEngine {
  /** Absolute path of its folder, in `home`; the name has the hash of all its bytes. */
  readonly folder: string;
  /** Names of the tasks that come along. */
  readonly tasks: readonly string[];
  /** Sources that it was made from, packages left out: paths from the root. */
  readonly sources: readonly string[];
}

/** Names of the tasks that come along: the files of `lambdas/tasks` of a root. */
export const builtInTasks = (root: string): readonly string[] =>
  readdirSync(path.join(root, 'lambdas', 'tasks'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.basename(file, '.ts'))
    .sort();

/**
 * Bundles the engine: the four functions with everything they import, the AWS SDK included, so that what was tested is what runs.
 * All are in one folder and share their parts; what is heavy and rarely used stays a file of its own, loaded when it is needed.
 * The registry of tasks is left open: `bundleTasks` adds it.
 *
 * @throws Error when a source cannot be bundled; its message names file, line, and reason.
 */
export async function buildEngine(root: string, home: string): Promise<BuiltEngine> {
  const tasks = builtInTasks(root);
  const outdir = path.join(root, '.engine');
  // Our error classes and the SDK's set their names themselves, so names of classes need not be kept: that would cost a call for each closure.
  const options = { target: 'node22', outExtension: { '.js': '.mjs' }, minify: true } as const;
  const result = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: {
      ...Object.fromEntries(functionNames.map((name) => [name, `lambdas/${name}.ts`])),
      thread: 'lambdas/thread.ts',
      child: 'lambdas/child.ts',
      rescue: 'lambdas/rescue.ts',
      standby: 'lambdas/standby.ts',
      registry: 'src/task/registry.ts',
      'local-registry': 'src/bundle/local-registry.ts',
      [poolWorker]: 'node_modules/piscina/dist/worker.js',
      ...Object.fromEntries(
        Object.entries(faces)
          .filter(([, source]) => existsSync(path.join(root, source)))
          .map(([name, source]) => [path.basename(faceFile(name), '.mjs'), source]),
      ),
      ...Object.fromEntries(
        tasks.map((name) => [path.basename(builtInFile(name), '.mjs'), `lambdas/tasks/${name}.ts`]),
      ),
    },
    // Nothing is written here: source maps name their sources relative to this folder, which must not depend on `home`.
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    format: 'esm',
    // Packages' ES modules can be tree-shaken; esbuild's default for Node takes CommonJS first.
    mainFields: ['module', 'main'],
    sourcemap: 'inline',
    // Stack traces need positions only; the text of the AWS SDK's sources would make the maps ten times larger.
    sourcesContent: false,
    // An optional native addon that lowers a thread's priority; the pool works without it.
    external: [registryFile, '@napi-rs/nice'],
    legalComments: 'none',
    charset: 'utf8',
    banner: { js: requireBanner },
    define: placeDefines,
    plugins: [poolWorkerPlugin, plainBuiltinsPlugin, slimSdkPlugin],
    metafile: true,
    logLevel: 'silent',
  });
  const merged = await mergeChunks(result, { root, outdir, options, sourcemap: true, classes, smallBytes });
  const files = merged
    .map(({ path: file, contents }) => ({ name: path.relative(outdir, file), contents }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { name, contents } of files) hash.update(`${name}\0${contents.length}\0`).update(contents);
  const folder = path.join(home, `functions-${hash.digest('hex').slice(0, 16)}`);
  await writeFolder(folder, files);
  const sources = Object.keys(result.metafile.inputs).filter(
    (input) => !input.includes('node_modules/') && !isPlainBuiltin(input),
  );
  return { folder, tasks, sources };
}

/**
 * What is loaded together, by entry points: each function, what runs items apart, and what every process with tasks has; that of tasks
 * which bring much by themselves is loaded only for them.
 */
const classes: readonly (readonly string[])[] = [
  ...functionNames.map((name) => [name]),
  ['src/aws/sdk-clients.ts'],
  ['src/aws/local/local-clients.ts'],
  ['child', 'thread'],
  ['registry', 'local-registry', 'fanloop', 'fanloop-aio', 'builtin-say-after', 'builtin-cpu'],
  ['builtin-http'],
  ['builtin-file', 'builtin-database'],
  ['fanloop-http'],
  ['fanloop-files', 'fanloop-dynamodb'],
];

/** A folder is there whole or not at all, whoever else writes the same one. */
export async function writeFolder(
  folder: string,
  files: readonly { readonly name: string; readonly contents: Uint8Array }[],
): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(path.dirname(folder), { recursive: true });
  const workDir = await mkdtemp(path.join(path.dirname(folder), 'tmp-'));
  await Promise.all(files.map(({ name, contents }) => writeFile(path.join(workDir, name), contents)));
  // A temporary folder is for its maker alone; this one may be used by others than who installed it.
  await chmod(workDir, 0o755);
  await rename(workDir, folder).catch(async (error: unknown) => {
    await rm(workDir, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  });
}
