import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

/** The Lambda functions by name; each is `lambdas/<name>.ts` and becomes a bundle of its own. */
export const functionNames = ['fan-out', 'worker', 'tick', 'dead-letter'] as const;

/** Functions that run items, and so may run some of them on threads: their folders get `thread.mjs` too. */
const functionsWithThreads = ['fan-out', 'worker'] as const;

/** What each thread of the pool starts with, a file of its own beside `index.mjs`. */
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

/** The name of one of the stack's functions. */
export type FunctionName = (typeof functionNames)[number];

/** What a stack needs to know of its functions' code. */
export interface Bundles {
  /** Absolute path of the folder of each function: `index.mjs` and its source map. */
  readonly folders: Readonly<Record<FunctionName, string>>;
  /** Hash of all bundles' code: 16 hexadecimal digits, the same for the same sources on every machine. */
  readonly hash: string;
}

/** Where bundles are made from and put. */
export interface BundleOptions {
  /** Absolute path of the project's root: the handlers are in `lambdas/`, their tasks in `lambdas/tasks/`. */
  readonly root: string;
  /** Folders of tasks beside `lambdas/tasks`, from the root. @default none */
  readonly taskFolders?: readonly string[];
  /** Absolute path of the folder that gets a folder for each function. */
  readonly outDir: string;
}

/**
 * Bundles each Lambda function with everything it imports, the AWS SDK included, so that what was tested is what runs.
 *
 * @throws Error when a handler or a task cannot be bundled; its message names file, line, and reason.
 */
export async function bundleFunctions(options: BundleOptions): Promise<Bundles> {
  const { root, outDir } = options;
  const result = await build({
    absWorkingDir: root,
    entryPoints: {
      ...Object.fromEntries(functionNames.map((name) => [`${name}/index`, `lambdas/${name}.ts`])),
      ...Object.fromEntries(functionsWithThreads.map((name) => [`${name}/thread`, 'lambdas/thread.ts'])),
      ...Object.fromEntries(
        functionsWithThreads.map((name) => [`${name}/${poolWorker}`, 'node_modules/piscina/dist/worker.js']),
      ),
    },
    // Nothing is written here: source maps name their sources relative to this folder, which must not depend on `outDir`.
    outdir: path.join(root, '.bundles'),
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // Packages' ES modules can be tree-shaken; esbuild's default for Node takes CommonJS first.
    mainFields: ['module', 'main'],
    minify: true,
    // Failures are counted by the names of error classes, which must survive minification.
    keepNames: true,
    sourcemap: 'linked',
    // Stack traces need positions only; the text of the AWS SDK's sources would make the maps ten times larger.
    sourcesContent: false,
    // An optional native addon that lowers a thread's priority; the pool works without it.
    external: ['@napi-rs/nice'],
    legalComments: 'none',
    charset: 'utf8',
    // CommonJS packages use `require` and `__dirname`, and an ES module has neither. A global cannot collide with a bundled name.
    banner: {
      js: "import{createRequire as fanloopRequire}from'node:module';globalThis.require??=fanloopRequire(import.meta.url);globalThis.__dirname??=import.meta.dirname;",
    },
    plugins: [
      tasksPlugin(['lambdas/tasks', ...(options.taskFolders ?? [])].map((folder) => path.join(root, folder))),
      poolWorkerPlugin,
    ],
    logLevel: 'silent',
  });
  const files = result.outputFiles.map(({ path: file, contents }) => ({
    name: path.relative(path.join(root, '.bundles'), file),
    contents,
  }));
  files.sort((a, b) => (a.name < b.name ? -1 : 1));

  const hash = createHash('sha256');
  for (const { name, contents } of files) {
    hash.update(`${name}\0${contents.length}\0`).update(contents);
    const target = path.join(outDir, name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, contents);
  }
  return {
    folders: {
      'fan-out': path.join(outDir, 'fan-out'),
      worker: path.join(outDir, 'worker'),
      tick: path.join(outDir, 'tick'),
      'dead-letter': path.join(outDir, 'dead-letter'),
    },
    hash: hash.digest('hex').slice(0, 16),
  };
}

/** Writes the module `fanloop:tasks` from the files of folders: each `<name>.ts` exports its task as `task`. */
function tasksPlugin(folders: readonly string[]): Plugin {
  return {
    name: 'fanloop-tasks',
    setup(builder) {
      builder.onResolve({ filter: /^fanloop:tasks$/ }, () => ({ path: 'tasks', namespace: 'fanloop' }));
      builder.onLoad({ filter: /^tasks$/, namespace: 'fanloop' }, async () => {
        const files = (await Promise.all(folders.map(taskFiles))).flat();
        const imports = files.map((file, n) => `import { task as task${n} } from ${JSON.stringify(file)};\n`);
        const entries = files.map((file, n) => `  ['${path.basename(file, '.ts')}']: task${n},\n`);
        return {
          contents: `${imports.join('')}export const tasks = {\n${entries.join('')}};\n`,
          loader: 'js',
          resolveDir: folders[0] ?? '',
          watchDirs: [...folders],
        };
      });
    },
  };
}

async function taskFiles(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const wrong = files.find((file) => !/^[a-z][a-z0-9-]*\.ts$/.test(file));
  if (wrong !== undefined) {
    throw new Error(
      `expected a task file named in lower case, digits, and dashes (say-after.ts), got lambdas/tasks/${wrong}: rename it`,
    );
  }
  return files.map((file) => path.join(folder, file));
}
