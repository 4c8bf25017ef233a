import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleFunctions, functionNames } from '../../lib/bundle.ts';

const projectRoot = path.dirname(path.dirname(import.meta.dirname));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fanloop-bundle-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A project whose four handlers answer with their tasks. */
async function project(tasks: Readonly<Record<string, string>>, handler = listTasks): Promise<string> {
  const root = path.join(folder, 'project');
  const threads = { 'lambdas/thread.ts': 'export {};', 'node_modules/piscina/dist/worker.js': 'export {};' };
  await mkdir(path.join(root, 'lambdas', 'tasks'), { recursive: true });
  await mkdir(path.join(root, 'node_modules', 'piscina', 'dist'), { recursive: true });
  await Promise.all([
    ...Object.entries(threads).map(([file, text]) => writeFile(path.join(root, file), text)),
    ...functionNames.map((name) => writeFile(path.join(root, 'lambdas', `${name}.ts`), handler)),
    ...Object.entries(tasks).map(([file, text]) => writeFile(path.join(root, 'lambdas', 'tasks', file), text)),
  ]);
  return root;
}

const listTasks = "import { tasks } from 'fanloop:tasks';\nexport const handler = async () => tasks;\n";

/** Calls the bundle's handler in a Node of its own, as Lambda does, and reads the answer as JSON. */
async function callHandler(bundleFolder: string): Promise<unknown> {
  const script =
    "import('./index.mjs').then(({ handler }) => handler()).then((answer) => console.log(JSON.stringify(answer)))";
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script], { cwd: bundleFolder });
  return JSON.parse(stdout);
}

describe('bundleFunctions', () => {
  it('makes each function of this project, the same bytes twice and in another folder', async () => {
    const first = await bundleFunctions({ root: projectRoot, outDir: path.join(folder, 'first') });
    const second = await bundleFunctions({ root: projectRoot, outDir: path.join(folder, 'deeper', 'second') });

    expect(second.hash).toBe(first.hash);
    for (const name of functionNames) {
      for (const file of ['index.mjs', 'index.mjs.map']) {
        const bytes = await readFile(path.join(first.folders[name], file));
        expect(bytes.equals(await readFile(path.join(second.folders[name], file)))).toBe(true);
      }
    }
  });

  it('gives the same hash to a copy of the sources elsewhere, and another one after a change', async () => {
    const root = await project({ 'one.ts': 'export const task = 1;' });
    const first = await bundleFunctions({ root, outDir: path.join(folder, 'out1') });
    const copy = path.join(folder, 'far', 'away', 'copy');
    await cp(root, copy, { recursive: true });
    expect((await bundleFunctions({ root: copy, outDir: path.join(folder, 'out2') })).hash).toBe(first.hash);

    await writeFile(path.join(copy, 'lambdas', 'tasks', 'one.ts'), 'export const task = 2;');
    expect((await bundleFunctions({ root: copy, outDir: path.join(folder, 'out3') })).hash).not.toBe(first.hash);
  });

  it('gathers the tasks of further folders too, where the caller names some', async () => {
    const root = await project({ 'one.ts': "export const task = 'first';" });
    await mkdir(path.join(root, 'more'));
    await writeFile(path.join(root, 'more', 'two.ts'), "export const task = 'second';");
    const { folders } = await bundleFunctions({ root, outDir: path.join(folder, 'out'), taskFolders: ['more'] });
    expect(await callHandler(folders.worker)).toEqual({ one: 'first', two: 'second' });
  });

  it('gathers every file of lambdas/tasks by its name', async () => {
    const root = await project({
      'say-after.ts': "export const task = 'says';",
      'http.ts': "export const task = 'calls';",
    });
    const { folders } = await bundleFunctions({ root, outDir: path.join(folder, 'out') });
    expect(await callHandler(folders.worker)).toEqual({ 'say-after': 'says', http: 'calls' });
  });

  it('lets packages in CommonJS require the modules of Node', async () => {
    const root = await project(
      { 'old.ts': "import { task as old } from '../../old.cjs';\nexport const task = old;" },
      listTasks,
    );
    await writeFile(path.join(root, 'old.cjs'), "exports.task = require('node:path').posix.join('a', 'b');");
    const { folders } = await bundleFunctions({ root, outDir: path.join(folder, 'out') });
    expect(await callHandler(folders.tick)).toEqual({ old: 'a/b' });
  });

  it('keeps the names of error classes, by which failures are counted', async () => {
    const root = await project({
      'fail.ts': 'class NotFound extends Error {}\nexport const task = new NotFound().constructor.name;',
    });
    const { folders } = await bundleFunctions({ root, outDir: path.join(folder, 'out') });
    expect(await callHandler(folders.worker)).toEqual({ fail: 'NotFound' });
  });

  it('writes source maps that name the sources from the project root', async () => {
    const root = await project({ 'one.ts': 'export const task = 1;' });
    const { folders } = await bundleFunctions({ root, outDir: path.join(folder, 'out') });
    const map = JSON.parse(await readFile(path.join(folders.worker, 'index.mjs.map'), 'utf8'));
    expect(map.sources).toContain('../../lambdas/worker.ts');
    expect(map.sourcesContent).toBeUndefined();
  });

  it.each([
    [
      'names a task file that no task can have',
      { 'Say After.ts': 'export const task = 1;' },
      /got lambdas\/tasks\/Say After\.ts: rename it/,
    ],
    ['names a task file without a task', { 'empty.ts': 'export const other = 1;' }, /empty\.ts/],
    ['names a task file that does not parse', { 'broken.ts': 'export const task = ;' }, /broken\.ts:1:20/],
  ])('%s', async (_, tasks, message) => {
    const root = await project(tasks);
    await expect(bundleFunctions({ root, outDir: path.join(folder, 'out') })).rejects.toThrow(message);
  });
});
