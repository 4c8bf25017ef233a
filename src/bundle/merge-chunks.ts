import path from 'node:path';
import { type BuildOptions, build, type Metafile, type OutputFile } from 'esbuild';
import { requireBanner } from './engine-parts.ts';

/** What a build with `splitting` gave, its source maps within. */
export interface SplitBuild {
  readonly outputFiles: readonly OutputFile[];
  readonly metafile: Metafile;
}

/** How chunks are put together again. */
export interface MergeOptions {
  readonly root: string;
  /** Absolute path of the folder that the files are named in; nothing is read there. */
  readonly outdir: string;
  /**
   * Entry points in classes: their names without ending, or the sources of those that are loaded by `import()`. Chunks that the same
   * classes load become one file; those that none loads stay as they are.
   */
  readonly classes: readonly (readonly string[])[];
  /** Those of the build before. */
  readonly options: Pick<BuildOptions, 'outExtension' | 'target' | 'minify' | 'minifyWhitespace' | 'minifySyntax'>;
  readonly sourcemap: boolean;
  /** Less than this is also loaded by who does not need it, rather than as a file of its own. */
  readonly smallBytes: number;
}

/**
 * Puts chunks together that are loaded together. esbuild makes a chunk of each set of files that is used by the same entry points, so
 * many entry points make dozens of small ones; and each file of a start is looked for, read, and linked by itself, which takes longer
 * than to run what is in it. A class may load a little more than it needs, and no other does.
 */
export async function mergeChunks(split: SplitBuild, options: MergeOptions): Promise<readonly OutputFile[]> {
  const { root, outdir } = options;
  const files = new Map(
    split.outputFiles
      .filter(({ path: file }) => !file.endsWith('.map'))
      .map(({ path: file, text }) => [path.basename(file), withoutBanner(text)]),
  );
  const outputs = new Map(Object.entries(split.metafile.outputs).map(([file, found]) => [path.basename(file), found]));
  const groups = groupsOf(outputs, options);
  const groupOf = new Map([...groups].flatMap(([group, members]) => members.map((member) => [member, group] as const)));
  const wanted = namesWanted(files, groupOf);
  const entries = [...files.keys()].filter((file) => !groupOf.has(file));

  const result = await build({
    ...options.options,
    absWorkingDir: root,
    entryPoints: [...entries, ...groups.keys()].map((file) => ({
      in: path.join(outdir, file),
      out: file.replace(/\.m?js$/, ''),
    })),
    outdir,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: options.sourcemap ? 'linked' : false,
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'merge-chunks',
        setup(builder) {
          builder.onResolve({ filter: /.*/ }, ({ path: asked, importer, kind }) => {
            const name = path.basename(asked);
            if (kind === 'entry-point') return { path: path.join(outdir, name), sideEffects: true };
            const own = importer.startsWith('whole:') ? undefined : path.basename(importer);
            const group = groupOf.get(name);
            if (!asked.startsWith('./') || group === undefined || own === undefined)
              return { path: asked, external: true };
            if (own === group || groupOf.get(own) === group)
              return { path: path.join(outdir, name), sideEffects: true };
            return { path: name, namespace: 'whole' };
          });
          builder.onLoad({ filter: /.*/, namespace: 'whole' }, ({ path: name }) => {
            const names = [...(wanted.get(name) ?? [])].map(([each, inGroup]) => `${inGroup} as ${each}`);
            return { contents: `export { ${names.join(', ')} } from "./${groupOf.get(name)}";`, loader: 'js' };
          });
          builder.onLoad({ filter: /.*/ }, ({ path: file }) => {
            const name = path.basename(file);
            const members = groups.get(name);
            const whole = members?.map((member) => {
              const names = [...(wanted.get(member) ?? [])].map(([each, inGroup]) => `${each} as ${inGroup}`);
              return `export { ${names.join(', ')} } from "./${member}";`;
            });
            return { contents: whole?.join('\n') ?? files.get(name) ?? '', loader: 'js' };
          });
        },
      },
    ],
  });
  return result.outputFiles;
}

/** Most files have no CommonJS in them; to make a `require` for each is a fiftieth of a start. */
function withoutBanner(text: string): string {
  const rest = text.startsWith(requireBanner) ? text.slice(requireBanner.length) : text;
  return /\brequire\b/.test(rest) ? text : rest;
}

/** For each chunk, what files outside of its group import of it, and under which name the group exports it. */
function namesWanted(
  files: ReadonlyMap<string, string>,
  groupOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const wanted = new Map<string, Map<string, string>>();
  let count = 0;
  for (const [file, text] of files) {
    // This is how esbuild writes what chunks take of each other.
    for (const [, list = '', name = ''] of text.matchAll(/\b(?:import|export)\s*\{([^}]*)\}\s*from\s*"\.\/([^"]+)"/g)) {
      const group = groupOf.get(name);
      if (group === undefined || group === groupOf.get(file)) continue;
      const names = wanted.get(name) ?? new Map<string, string>();
      wanted.set(name, names);
      for (const each of list.split(',').map((part) => part.trim().split(/\s/)[0] ?? ''))
        if (each !== '' && !names.has(each)) names.set(each, `x${(count++).toString(36)}`);
    }
  }
  return wanted;
}

type Outputs = ReadonlyMap<string, Metafile['outputs'][string]>;

/** Chunks by the file that they become: the classes of entry points that load them. What is loaded later stays a file of its own. */
function groupsOf(outputs: Outputs, { classes, smallBytes }: MergeOptions): ReadonlyMap<string, readonly string[]> {
  const usedBy = new Map<string, Set<number>>();
  const visit = (file: string, number: number): void => {
    const users = usedBy.get(file) ?? new Set();
    if (!outputs.has(file) || users.has(number)) return;
    usedBy.set(file, users.add(number));
    for (const { path: other, kind } of outputs.get(file)?.imports ?? [])
      if (kind === 'import-statement') visit(path.basename(other), number);
  };
  classes.forEach((names, number) => {
    for (const [file, { entryPoint = '' }] of outputs)
      if (names.includes(file.replace(/\.m?js$/, '')) || names.includes(entryPoint)) visit(file, number);
  });
  const users = new Map<string, string>();
  for (const [file, { entryPoint }] of outputs) {
    const numbers = [...(usedBy.get(file) ?? [])].sort((a, b) => a - b);
    if (entryPoint !== undefined || numbers.length === 0 || file.endsWith('.map')) continue;
    users.set(file, numbers.map((number) => String.fromCharCode(97 + number)).join(''));
  }
  giveAwaySmall(users, outputs, smallBytes);
  return Map.groupBy(users.keys(), (file) => `part-${users.get(file)}${path.extname(file)}`);
}

/** Moves small groups into one that more classes load, where that makes nobody load anything else. */
function giveAwaySmall(users: Map<string, string>, outputs: Outputs, smallBytes: number): void {
  const isWithin = (some: string, all: string): boolean => [...some].every((letter) => all.includes(letter));
  const files = (of: string): readonly string[] => [...users.keys()].filter((file) => users.get(file) === of);
  const bytes = (of: string): number => files(of).reduce((sum, file) => sum + (outputs.get(file)?.bytes ?? 0), 0);
  const needs = (of: string): readonly string[] =>
    files(of)
      .flatMap((file) => outputs.get(file)?.imports ?? [])
      .filter(({ kind, external }) => kind === 'import-statement' && external !== true)
      .map(({ path: file }) => users.get(path.basename(file)) ?? '')
      .filter((other) => other !== of);
  const known = [...new Set(users.values())].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const own of known) {
    if (bytes(own) >= smallBytes) continue;
    const others = new Set(users.values());
    const target = known.find(
      (other) =>
        other !== own && others.has(other) && isWithin(own, other) && needs(own).every((each) => isWithin(other, each)),
    );
    if (target !== undefined) for (const file of files(own)) users.set(file, target);
  }
}
