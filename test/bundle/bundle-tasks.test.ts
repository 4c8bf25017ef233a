import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleTasks, type FunctionCode } from '../../src/bundle/bundle-tasks.ts';
import { functionNames } from '../../src/bundle/engine-parts.ts';

const builtIn = ['cpu', 'database', 'file', 'http', 'say-after'];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fanloop-bundle-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A project of somebody's own: each file by its path. */
async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const root = path.join(folder, 'project');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return path.join(root, 'tasks');
}

/** The text of a task that answers with the value of an expression. */
const taskOf = (expression: string, before = ''): string => `
  import { defineTask } from 'fanloop';
  ${before}
  const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as any;
  export const task = defineTask({ description: 'A test', input: anything, example: 1, run: () => ${expression} });
`;

let count = 0;
const bundle = (tasks?: string): FunctionCode => {
  count += 1;
  return bundleTasks({ tasks, outDir: path.join(folder, `out${count}`) });
};

/** Loads the code's tasks in a Node of its own, as Lambda does, and answers what the script writes. */
async function inCode(code: FunctionCode, script: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--enable-source-maps',
      '--input-type=module',
      '--eval',
      `const { tasks } = await import('./tasks.mjs'); ${script}`,
    ],
    { cwd: code.folder },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const run = (code: FunctionCode, name: string): Promise<unknown> =>
  inCode(code, `console.log(JSON.stringify(await (await tasks.load('${name}')).run(1, {}) ?? null));`);

describe('bundleTasks', () => {
  it('makes the code of all functions from the engine, with the tasks that come along', async () => {
    const code = bundle();
    expect(code.tasks).toEqual(builtIn);
    expect(code.broken).toEqual([]);
    for (const name of functionNames) expect(existsSync(path.join(code.folder, `${name}.mjs`))).toBe(true);
    expect(await inCode(code, 'console.log(JSON.stringify(tasks.names()));')).toEqual(builtIn);
  });

  it('makes the same bytes twice, in another folder, and from a copy of the sources; others after a change', async () => {
    const tasks = await project({
      'tasks/one.ts': taskOf('one', "import { one } from '../one.ts';"),
      'one.ts': 'export const one = 1;',
    });
    const first = bundle(tasks);
    expect(bundle(tasks).hash).toBe(first.hash);
    const copy = path.join(folder, 'far', 'away');
    await cp(path.dirname(tasks), copy, { recursive: true });
    expect(bundle(path.join(copy, 'tasks')).hash).toBe(first.hash);
    await writeFile(path.join(copy, 'one.ts'), 'export const one = 2;');
    expect(bundle(path.join(copy, 'tasks')).hash).not.toBe(first.hash);
  });

  it('takes every file with a task by the name of its path, and no helper, declaration, or test', async () => {
    const code = bundle(
      await project({
        'tasks/look-up.ts': taskOf('help()', "import { help } from './_help.ts';"),
        'tasks/users/find.mjs': taskOf('2').replaceAll(/: unknown| as any/g, ''),
        'tasks/_help.ts': "export const task = 1; export const help = () => 'helped';",
        'tasks/_private/hidden.ts': taskOf('0'),
        'tasks/constants.ts': 'export const constant = 1;',
        'tasks/look-up.test.ts': taskOf('0'),
        'tasks/types.d.ts': 'export declare const task: number;',
        'tasks/readme.md': 'no task',
      }),
    );
    expect(code.tasks).toEqual([...builtIn, 'look-up', 'users/find'].sort());
    expect(await run(code, 'look-up')).toBe('helped');
    expect(await run(code, 'users/find')).toBe(2);
  });

  it('lets an own task take the place of one that comes along', async () => {
    const code = bundle(await project({ 'tasks/http.ts': taskOf("'own'") }));
    expect(code.tasks).toEqual(builtIn);
    expect(await run(code, 'http')).toBe('own');
  });

  it('takes what projects have: path aliases, JSON, packages, enums, CommonJS, a require of their own', async () => {
    const code = bundle(
      await project({
        'package.json': '{}',
        'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@lib/*': ['./lib/*'] } } }),
        'lib/name.ts': "export enum Name { First = 'first' }",
        'data.json': '{ "answer": 42 }',
        'node_modules/old/index.js': "module.exports = require('node:path').posix.join('a', 'b') + typeof __dirname;",
        'tasks/all.ts': taskOf(
          '[Name.First, data.answer, old, require("node:os").EOL.length]',
          `import { createRequire } from 'node:module';
           import { Name } from '@lib/name';
           import data from '../data.json';
           import old from 'old';
           const require = createRequire(import.meta.url);`,
        ),
      }),
    );
    expect(code.broken).toEqual([]);
    expect(await run(code, 'all')).toEqual(['first', 42, 'a/bstring', 1]);
  });

  it('has one of everything that tasks import of this package, CommonJS included', async () => {
    const code = bundle(
      await project({
        'tasks/modern.ts': `import { TaskError } from 'fanloop';\n${taskOf('TaskError.name')}`,
        'tasks/old.cjs': `
          const { defineTask, TaskError } = require('fanloop');
          const input = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
          exports.task = defineTask({ description: 'Old', input, example: 1, run: () => { throw new TaskError('no', { code: 'No' }); } });
        `,
      }),
    );
    expect(code.tasks).toContain('old');
    const script = `
      const { TaskError } = await import('./fanloop.mjs');
      const error = await (await tasks.load('old')).run(1, {}).catch((error) => error);
      console.log(JSON.stringify([error instanceof TaskError, error.code]));`;
    expect(await inCode(code, script)).toEqual([true, 'No']);
  });

  it('keeps the names of error classes, by which failures are counted', async () => {
    const tasks = await project({
      'tasks/fail.ts': taskOf('new NotFound().constructor.name', 'class NotFound extends Error {}'),
    });
    expect(await run(bundle(tasks), 'fail')).toBe('NotFound');
  });

  it('names the line of the source in an error', async () => {
    const code = bundle(
      await project({ 'tasks/fail.ts': taskOf('{\n throw new Error("no");\n }').replace('() =>', 'async () =>') }),
    );
    const script =
      'const { run } = await tasks.load("fail"); console.log(JSON.stringify((await run(1, {}).catch((error) => error)).stack));';
    expect(await inCode(code, script)).toMatch(/tasks\/fail\.ts:6:8/);
    const map = JSON.parse(await readFile(path.join(code.folder, 'task-fail.mjs.map'), 'utf8'));
    expect(map.sourcesContent).toBeUndefined();
  });

  it('leaves out what cannot be bundled, names file, line, and reason, and spoils no other task', async () => {
    const code = bundle(
      await project({
        'tasks/good.ts': taskOf("'good'"),
        'tasks/broken.ts': 'export const task = ;',
        'tasks/absent.ts': "import { x } from './not-there.ts';\nexport const task = x;",
      }),
    );
    expect(await run(code, 'good')).toBe('good');
    expect(code.tasks).toEqual([...builtIn, 'good'].sort());
    expect(code.broken.map(({ name, problem }) => [name, problem])).toEqual([
      ['absent', 'tasks/absent.ts:1:19: Could not resolve "./not-there.ts"'],
      ['broken', 'tasks/broken.ts:1:21: Unexpected ";"'],
    ]);
  });

  it('goes on with other tasks when one fails when it is loaded, and says which', async () => {
    const code = bundle(
      await project({
        'tasks/late.ts': `throw new Error('late');\n${taskOf('1')}`,
        'tasks/none.ts': 'export const task = 1;',
        'tasks/good.ts': taskOf('2'),
      }),
    );
    expect(await run(code, 'good')).toBe(2);
    const problemOf = (name: string): Promise<unknown> =>
      inCode(code, `console.log(JSON.stringify(await tasks.load('${name}').catch(String)));`);
    expect(await problemOf('late')).toBe('Error: late');
    expect(await problemOf('none')).toMatch(/the task "none" to export "task", made by defineTask/);
  });

  it('keeps tasks together that share a package, in a folder without subfolders', async () => {
    const shared = `export const big = ${JSON.stringify('x'.repeat(50_000))};`;
    const use = (value: string, up: string): string =>
      taskOf(`big.length + ${value}`, `import { big } from '${up}/big.ts';`);
    const code = bundle(
      await project({ 'big.ts': shared, 'tasks/a.ts': use('1', '..'), 'tasks/b/c.ts': use('2', '../..') }),
    );
    expect(await run(code, 'b/c')).toBe(50_002);
    const entries = await readdir(code.folder, { withFileTypes: true });
    expect(entries.every((entry) => entry.isFile())).toBe(true);
    const texts = await Promise.all(
      entries
        .filter(({ name }) => /^(task|part)-.*\.mjs$/.test(name))
        .map(({ name }) => readFile(path.join(code.folder, name), 'utf8')),
    );
    expect(texts.filter((text) => text.includes('xxxxxxxxxx'))).toHaveLength(1);
  });
});
