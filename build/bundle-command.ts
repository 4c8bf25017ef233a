import { createHash } from 'node:crypto';
import path from 'node:path';
import { build } from 'esbuild';
import { smallBytes, writeFolder } from '../src/bundle/build-engine.ts';
import { requireBanner } from '../src/bundle/engine-parts.ts';
import { mergeChunks } from '../src/bundle/merge-chunks.ts';
import { isPlainBuiltin, plainBuiltinsPlugin } from '../src/bundle/plain-builtins.ts';
import { slimSdkPlugin } from '../src/bundle/slim-sdk.ts';

/** The command line in one piece. */
export interface BuiltCommand {
  /** Name of its folder in `home`; it has the hash of all its bytes. */
  readonly folder: string;
  /** Sources that it was made from, packages left out: paths from the root. */
  readonly sources: readonly string[];
}

/** What is loaded together: by each command, by what most people run, and by the processes of functions. */
const classes = [['main'], ['src/cli/commands/run.ts', 'src/targets/embedded.ts'], ['standby'], ['runtime']];

/**
 * Bundles the command line with the packages that it imports: one item's job would otherwise read four hundred files, which takes
 * longer than the job. Left out is what is large and rarely used, has parts of another language, or may be the caller's own copy.
 */
export async function bundleCommand(root: string, home: string): Promise<BuiltCommand> {
  const outdir = path.join(root, '.command');
  // Names stay, so that a stack says where it is without a map.
  const options = { target: 'node22', minifyWhitespace: true, minifySyntax: true } as const;
  const result = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: {
      main: 'src/cli/main.ts',
      standby: 'src/targets/standby.ts',
      // What starts as a program or a thread of its own is found beside the file that starts it.
      runtime: 'src/cloud/lambda/runtime.ts',
      'database-thread': 'src/cloud/dynamodb/database-thread.ts',
    },
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['esbuild', 'dynalite', 'aws-cdk-lib', 'constructs', 'aws-cdk'],
    legalComments: 'none',
    charset: 'utf8',
    banner: { js: requireBanner },
    plugins: [plainBuiltinsPlugin, slimSdkPlugin],
    metafile: true,
    logLevel: 'silent',
  });
  const files = (await mergeChunks(result, { root, outdir, options, sourcemap: false, classes, smallBytes }))
    .map(({ path: file, contents }) => ({ name: path.relative(outdir, file), contents }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { name, contents } of files) hash.update(`${name}\0${contents.length}\0`).update(contents);
  const folder = `command-${hash.digest('hex').slice(0, 16)}`;
  await writeFolder(path.join(home, folder), files);
  const sources = Object.keys(result.metafile.inputs).filter(
    (input) => !input.includes('node_modules/') && !isPlainBuiltin(input),
  );
  return { folder, sources };
}
