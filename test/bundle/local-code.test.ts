import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { localCode } from '../../src/bundle/local-code.ts';
import { UsageError } from '../../src/task/errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fanloop-local-code-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('lets several first commands of a project make its code at once', async () => {
  const source = new URL('../../src/bundle/local-code.ts', import.meta.url).href;
  const script = `const { localCode } = await import('${source}');
    console.log(localCode({ root: ${JSON.stringify(folder)}, tasks: undefined }, ${JSON.stringify(folder)}).folder);`;
  const run = async (): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    return stdout.trim();
  };
  const folders = new Set(await Promise.all(Array.from({ length: 6 }, run)));
  expect(folders.size).toBe(1);
  const [made = ''] = folders;
  expect(readdirSync(path.dirname(made))).toEqual([path.basename(made)]);
});

it('keeps the code of other versions that may still run, and removes what nobody has used for a day', () => {
  const project = { root: path.join(folder, 'old'), tasks: undefined };
  const home = path.dirname(localCode(project, folder).folder);
  rmSync(home, { recursive: true });
  const unused = new Date(Date.now() - 2 * 86_400_000);
  for (const name of ['running-1', 'running-2', 'running-3', 'old-1', 'old-2']) {
    mkdirSync(path.join(home, name), { recursive: true });
    if (name.startsWith('old')) utimesSync(path.join(home, name), unused, unused);
  }
  const made = path.basename(localCode(project, folder).folder);
  expect(readdirSync(home).sort()).toEqual([made, 'running-1', 'running-2', 'running-3'].sort());
});

it.each([
  ['a file system that takes no folders', '/proc/none', 'ENOENT'],
  ['a file', path.join(folder, 'file'), 'ENOTDIR'],
])('refuses a cache below %s in a sentence', (_, below, code) => {
  writeFileSync(path.join(folder, 'file'), '');
  const cache = path.join(below, 'fanloop');
  expect(() => localCode({ root: folder, tasks: undefined }, cache)).toThrow(
    new UsageError(
      'InvalidOptions',
      `expected the cache folder ${cache} to be one that can be written, got ${code}; choose another by XDG_CACHE_HOME`,
    ),
  );
});

it('loads the bundler for an own task that has changed, and for no other', async () => {
  const tasks = path.join(folder, 'tasks');
  mkdirSync(tasks);
  writeFileSync(
    path.join(tasks, 'own.ts'),
    `import { defineTask } from 'fanloop';
     const input = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
     export const task = defineTask({ description: 'Gives one.', input, run: async () => 1 });`,
  );
  const code = localCode({ root: folder, tasks }, path.join(folder, 'cache'));
  const load = async (name: string): Promise<readonly string[]> => {
    const script = `const loaded = [];
      process.getBuiltinModule('node:module').registerHooks({ load: (url, context, next) => {
        loaded.push(url);
        return next(url, context);
      } });
      const { tasks } = await import('${code.base}tasks.mjs');
      await tasks.load('${name}');
      console.log(JSON.stringify(loaded));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    return JSON.parse(stdout).filter((url: string) => url.includes('/task-cache.') || url.includes('/esbuild/'));
  };
  expect(await load('say-after')).toEqual([]);
  expect(await load('own')).not.toEqual([]);
  expect(await load('own')).toEqual([]);
});
