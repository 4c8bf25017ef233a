import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mergeChunks } from '../../src/bundle/merge-chunks.ts';

let folder: string;

/** Three programs: each two of them share a file, all share another, and one loads a part later that shares with all. */
const sources: Readonly<Record<string, string>> = {
  'all.js':
    'export const order = []; export let count = 0; export const add = (name) => { count += 1; order.push(name); };',
  'ab.js': "import { add } from './all.js'; add('ab'); export const $ab = () => 'ab'; export default 'default of ab';",
  'bc.js': "import { add } from './all.js'; add('bc'); export const bc = () => 'bc'; export class Named {}",
  'ca.js':
    "import { add } from './all.js'; add('ca'); export const ca = () => 'ca'; export const $ab = () => 'another of that name';",
  'later.js': "import { add, order } from './all.js'; add('later'); export const said = () => [...order];",
  'a.js': `import byDefault, { $ab } from './ab.js'; import { ca } from './ca.js'; import { count, order } from './all.js';
    const early = { ab: $ab(), ca: ca(), byDefault, before: [...order], count };
    const { said } = await import('./later.js');
    console.log(JSON.stringify({ ...early, later: said(), countLater: count }));`,
  'b.js': `import { $ab } from './ab.js'; import { bc } from './bc.js'; import { order } from './all.js';
    console.log(JSON.stringify({ ab: $ab(), bc: bc(), order }));`,
  'c.js': `import { bc } from './bc.js'; import * as ca from './ca.js';
    console.log(JSON.stringify({ bc: bc(), ca: ca.ca(), ab: ca.$ab(), later: (await import('./later.js')).said() }));`,
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fanloop-merge-'));
  for (const [name, source] of Object.entries(sources)) writeFileSync(path.join(folder, name), source);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function bundle(
  classes: readonly (readonly string[])[],
  options: { readonly minify: boolean },
  smallBytes = 0,
): Promise<string> {
  const outdir = path.join(folder, 'out');
  const split = await build({
    ...options,
    absWorkingDir: folder,
    entryPoints: ['a.js', 'b.js', 'c.js'],
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    format: 'esm',
    platform: 'node',
    sourcemap: 'inline',
    metafile: true,
  });
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir);
  writeFileSync(path.join(outdir, 'package.json'), '{"type":"module"}');
  for (const { path: file, contents } of await mergeChunks(split, {
    root: folder,
    outdir,
    classes,
    options,
    smallBytes,
    sourcemap: true,
  }))
    writeFileSync(file, contents);
  return outdir;
}

const run = async (outdir: string, name: string): Promise<unknown> =>
  JSON.parse((await promisify(execFile)(process.execPath, [path.join(outdir, name)])).stdout);

it.each([
  ['each program', [['a'], ['b'], ['c']], 4],
  ['two programs as one class', [['a', 'b'], ['c']], 2],
  ['one program and what it loads later', [['a', 'later.js']], 1],
  ['all as one class', [['a', 'b', 'c']], 1],
  ['no program', [], 0],
])('makes one file of the chunks that the same classes load: %s', async (_, classes, parts) => {
  for (const minify of [false, true]) {
    const outdir = await bundle(classes, { minify });
    expect(readdirSync(outdir).filter((file) => /^part-.*\.js$/.test(file))).toHaveLength(parts);
    expect(await run(outdir, 'a.js')).toMatchObject({ ab: 'ab', ca: 'ca', byDefault: 'default of ab' });
    expect(await run(outdir, 'b.js')).toMatchObject({ ab: 'ab', bc: 'bc' });
    expect(await run(outdir, 'c.js')).toMatchObject({ bc: 'bc', ca: 'ca', ab: 'another of that name' });
  }
});

it('runs each file once, whoever loads it; what is loaded later still is', async () => {
  const apart = await bundle([['a'], ['b'], ['c']], { minify: true });
  expect(await run(apart, 'a.js')).toMatchObject({
    before: ['ab', 'ca'],
    count: 2,
    later: ['ab', 'ca', 'later'],
    countLater: 3,
  });
  const together = await bundle([['a', 'b', 'c']], { minify: true });
  const { before, later, ...counts } = (await run(together, 'a.js')) as Record<string, string[]>;
  expect(before?.toSorted()).toEqual(['ab', 'bc', 'ca']);
  expect(later).toEqual([...(before ?? []), 'later']);
  expect(counts).toMatchObject({ count: 3, countLater: 4 });
});

it('puts what is small where more programs load it, unless these would load another file for it', async () => {
  const outdir = await bundle([['a'], ['b'], ['c']], { minify: true }, 4_096);
  expect(readdirSync(outdir).filter((file) => /^part-.*\.js$/.test(file))).toEqual(['part-abc.js']);
  expect(await run(outdir, 'b.js')).toMatchObject({ ab: 'ab', bc: 'bc' });
  const large = await bundle([['a'], ['b'], ['c']], { minify: true }, 1);
  expect(readdirSync(large).filter((file) => /^part-.*\.js$/.test(file))).toHaveLength(4);
});

it('maps to the sources', async () => {
  const outdir = await bundle([['a'], ['b'], ['c']], { minify: true });
  const maps = readdirSync(outdir).filter((file) => file.endsWith('.map'));
  const mapped = maps.flatMap((file) => JSON.parse(readFileSync(path.join(outdir, file), 'utf8')).sources as string[]);
  for (const name of Object.keys(sources)) expect(mapped).toContain(`../${name}`);
});
