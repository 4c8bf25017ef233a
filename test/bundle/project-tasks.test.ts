import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProject } from '../../src/bundle/project.ts';
import { openProjectTasks, type ProjectTasks } from '../../src/bundle/project-tasks.ts';
import { checkMark } from '../../src/task/check-mark.ts';
import { runCli, startCli } from '../cli/cli-process.ts';

let root: string;
let cache: string;

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fanloop-project-test-'));
  root = path.join(folder, 'mine');
  cache = path.join(folder, 'cache');
  await write({ 'package.json': '{"name":"mine","type":"module"}' });
});
afterEach(() => rm(path.dirname(root), { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
}

const taskOf = (value: string, before = ''): string => `import { defineTask } from 'fanloop';
${before}
const input = { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) } };
export const task = defineTask({ description: 'A test', input, example: 'x', run: () => ${value} });
`;

const open = (): ProjectTasks => openProjectTasks(findProject(root), cache);

async function resultOf(name: string, tasks = open()): Promise<unknown> {
  const task = await tasks.load(name);
  const signal = new AbortController().signal;
  return task?.run('x', { signal, attempt: 1, idempotencyKey: 'j/0', log: () => {}, used: () => {} });
}

describe('findProject', () => {
  it('takes the nearest package.json and the folder tasks beside it', async () => {
    await write({ 'tasks/a.ts': '', 'src/deep/x.ts': '' });
    expect(findProject(path.join(root, 'src', 'deep'))).toEqual({ root, tasks: path.join(root, 'tasks') });
  });

  it('takes the folder that package.json or the caller names, and refuses one that is not there', async () => {
    await write({ 'package.json': '{"fanloop":{"tasks":"src/jobs"}}', 'src/jobs/a.ts': '', 'other/b.ts': '' });
    expect(findProject(root).tasks).toBe(path.join(root, 'src', 'jobs'));
    expect(findProject(path.join(root, 'src'), '../other').tasks).toBe(path.join(root, 'other'));
    expect(() => findProject(root, 'none')).toThrow(
      /expected the folder of tasks of --tasks to exist, got none at .*none/,
    );
  });

  it('has no tasks where there is no folder', () => {
    expect(findProject(root)).toEqual({ root, tasks: undefined });
  });
});

describe('openProjectTasks', () => {
  it('lists own tasks and those that come along, and says which takes the place of one', async () => {
    await write({
      'tasks/users/find.ts': taskOf('1'),
      'tasks/http.ts': taskOf('2'),
      'tasks/_help.ts': 'export const task = 1;',
      'tasks/constants.ts': 'export const x = 1;',
    });
    const listed = open().list();
    expect(listed.map(({ name }) => name)).toEqual(['cpu', 'database', 'file', 'http', 'say-after', 'users/find']);
    expect(listed.find(({ name }) => name === 'http')).toEqual({ name: 'http', file: 'tasks/http.ts', replaces: true });
    expect(await resultOf('http')).toBe(2);
    expect(await resultOf('users/find')).toBe(1);
  });

  it('uses a bundle again until one of its files changes, and then the new one in a process that runs already', async () => {
    await write({
      'tasks/a.ts': taskOf('help', "import { help } from './_help.ts';"),
      'tasks/_help.ts': 'export const help = 1;',
    });
    const tasks = open();
    expect(await resultOf('a', tasks)).toBe(1);
    const bundles = async (): Promise<readonly string[]> =>
      (await readdir(tasks.code.folder)).filter((name) => /^task-a\..*mjs$/.test(name));
    const [first] = await bundles();
    expect(await resultOf('a', tasks)).toBe(1);
    expect(await bundles()).toEqual([first]);
    await write({ 'tasks/_help.ts': 'export const help = "other";' });
    expect(await resultOf('a', tasks)).toBe('other');
    expect(await bundles()).toHaveLength(2);
  });

  it('sees a change of the same size and a file that was put back', async () => {
    await write({ 'tasks/a.ts': taskOf('1') });
    expect(await resultOf('a')).toBe(1);
    await write({ 'tasks/a.ts': taskOf('2') });
    await utimes(path.join(root, 'tasks', 'a.ts'), 1, 1);
    expect(await resultOf('a')).toBe(2);
  });

  it('names file, line, and reason of one that is broken, and loads the others', async () => {
    await write({
      'tasks/syntax.ts': 'export const task = ;',
      'tasks/absent.ts': "\nimport { x } from './not-there.ts';\nexport const task = x;",
      'tasks/late.ts': `${taskOf('1')}\nfunction fail() {\n  throw new TypeError('late');\n}\nfail();`,
      'tasks/helper.ts': 'export const tasks = 1; // no task',
      'tasks/good.ts': taskOf('1'),
    });
    const problems = ['syntax', 'absent', 'late', 'helper'].map((name) =>
      open()
        .load(name)
        .catch((error: Error) => error.message),
    );
    expect(await Promise.all(problems)).toEqual([
      'tasks/syntax.ts:1:21: Unexpected ";"',
      'tasks/absent.ts:2:19: Could not resolve "./not-there.ts"',
      expect.stringMatching(/^tasks\/late\.ts:.* TypeError: late$/),
      'tasks/helper.ts: expected it to export "task", made by defineTask',
    ]);
    expect(await resultOf('good')).toBe(1);
    expect(await open().load('none')).toBeUndefined();
  });

  it('goes back to the task that comes along when the own one is gone', async () => {
    await write({ 'tasks/http.ts': taskOf('1') });
    expect(await resultOf('http')).toBe(1);
    await rm(path.join(root, 'tasks', 'http.ts'));
    expect((await open().load('http'))?.description).toMatch(/Calls a URL/);
  });

  it('keeps the code of two versions where nobody has used more for a day, and nothing in the project', async () => {
    await write({ 'tasks/a.ts': taskOf('1') });
    await resultOf('a');
    expect((await readdir(root)).sort()).toEqual(['package.json', 'tasks']);
    const [home = ''] = await readdir(path.join(cache, 'code'));
    const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
    for (const old of ['one', 'two', 'three']) {
      await mkdir(path.join(cache, 'code', home, old));
      await utimes(path.join(cache, 'code', home, old), twoDaysAgo, twoDaysAgo);
    }
    await rm(open().code.folder, { recursive: true });
    await resultOf('a');
    expect(await readdir(path.join(cache, 'code', home))).toHaveLength(2);
  });
});

describe('the command line in a project', () => {
  const fanloop = (args: readonly string[]) => runCli(args, { cwd: root, env: { XDG_CACHE_HOME: cache } });

  it('runs an own task, then the changed one; what it prints while it is loaded is no row', async () => {
    await write({ 'tasks/hello.ts': taskOf("'hi'", "console.log('loading');") });
    const first = await fanloop(['run', 'hello', 'Ada']);
    expect(first.stdout).toMatch(/^\{"index":0,"status":"succeeded","value":"hi"[^\n]*\}\n$/);
    expect(first.stderr).toContain('loading');
    await write({ 'tasks/hello.ts': taskOf("'changed'") });
    expect((await fanloop(['run', 'hello', 'Ada'])).stdout).toContain('"value":"changed"');
  });

  it('lists all tasks and jobs beside a broken one', async () => {
    await write({
      'tasks/broken.ts': 'export const task = ;',
      'tasks/late.ts': `${taskOf('1')}\nfunction fail(): void {\n  throw new TypeError('late');\n}\nfail();`,
      'tasks/hello.ts': taskOf("'hi'"),
    });
    const listed = await fanloop(['tasks', '--json']);
    expect(listed.stdout).toContain('"name":"hello","file":"tasks/hello.ts"');
    expect(listed.stderr).toContain('the task "broken" cannot be used: tasks/broken.ts:1:21: Unexpected ";"');
    expect(listed.code).toBe(1);
    expect(await fanloop(['run', 'hello', 'Ada'])).toMatchObject({ code: 0 });
    // The place is that of the source, by its map.
    expect((await fanloop(['run', 'late', 'x'])).stderr).toContain('tasks/late.ts:7:9: TypeError: late');
    expect(await fanloop(['jobs'])).toMatchObject({ code: 0 });
    expect(await fanloop(['run', 'broken', 'x'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('tasks/broken.ts:1:21'),
    });
  });
});

describe('a file that does more than define a task while it is loaded', () => {
  it.each([
    ['waits for ever', 'await new Promise(() => {});', 'expected the file to load within 5 s'],
    ['exits', 'process.exit(0);', 'expected the file to load, got process.exit(0)'],
    ['rejects', "void Promise.reject(new Error('nobody'));", 'nobody'],
    [
      'throws later',
      "setTimeout(() => { throw new Error('late'); }, 0); await new Promise((r) => setTimeout(r, 50));",
      'late',
    ],
  ])('and %s breaks alone', async (_what, code, problem) => {
    await write({ 'tasks/odd.ts': taskOf("'odd'", code), 'tasks/well.ts': taskOf("'well'") });
    await expect(open().load('odd')).rejects.toThrow(problem);
    await expect(resultOf('well')).resolves.toBe('well');
  });

  it.each([
    ['no input', "{ description: 'x', run: () => 1 }", 'expected defineTask to get input, a Standard Schema'],
    [
      'no run',
      "{ description: 'x', input: { '~standard': { validate() {} } } }",
      'expected defineTask to get run, a function, got none',
    ],
    ['no description', '{ input: {}, run: 1 }', 'expected defineTask to get description, a text, got none'],
  ])('is refused by name for %s', async (_what, definition, problem) => {
    await write({
      'tasks/odd.mjs': `import { defineTask } from 'fanloop';\nexport const task = defineTask(${definition});\n`,
    });
    await expect(open().load('odd')).rejects.toThrow(problem);
  });

  it('stops no listing, and is named in it with its line', async () => {
    await write({
      'tasks/exits.ts': taskOf("'x'", 'process.exit(0);'),
      'tasks/no-input.mjs':
        "import { defineTask } from 'fanloop';\nexport const task = defineTask({ description: 'x' });\n",
      'tasks/well.ts': taskOf("'well'"),
    });
    const { code, stdout, stderr } = await runCli(['tasks'], { cwd: root, env: { XDG_CACHE_HOME: cache } });
    const text = stdout + stderr;
    expect(code).toBe(1);
    expect(text).toMatch(/tasks\/exits\.ts:2:\d+: Error: expected the file to load, got process\.exit\(0\)/);
    expect(text).toMatch(/tasks\/no-input\.mjs:2:\d+: Error: expected defineTask to get input/);
    expect(text).toContain('well: A test');
    expect(text).toContain('say-after: ');
  });
});

describe('a file that breaks after it was loaded', () => {
  it('breaks no other, and is named', async () => {
    await write({
      'tasks/late.ts': taskOf("'x'", "setInterval(() => { throw new Error('too late'); }, 20);"),
      'tasks/later.ts': taskOf("'y'", 'await new Promise((resolve) => setTimeout(resolve, 100));'),
    });
    const { code, stdout, stderr } = await runCli(['tasks'], { cwd: root, env: { XDG_CACHE_HOME: cache } });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('later: A test') });
    expect(stderr).toContain(
      'tasks/late.ts threw an exception after it was loaded, and nobody caught it: Error: too late',
    );
  });
});

it('ends by a signal while a file loops for ever', async () => {
  await write({ 'tasks/loops.ts': taskOf("'x'", "console.log('looping'); for (;;);") });
  const running = startCli(['run', 'loops', 'x'], { cwd: root, env: { XDG_CACHE_HOME: cache } });
  await running.said(/looping/);
  running.child.kill('SIGINT');
  await running.ended;
  expect(running.child.signalCode).toBe('SIGINT');
});

describe('the mark of an input', () => {
  const markOf = async (name: string, tasks = open()): Promise<string | undefined> => {
    const task = await tasks.load(name);
    return task && checkMark(task, 'ndjson');
  };

  it('is of the very code of the task, and tells nothing of this machine', async () => {
    await write({ 'tasks/a.ts': taskOf('1') });
    const first = await markOf('a');
    expect(first).toMatch(/^ndjson [0-9a-f]{16}\/task-a\.[0-9a-f]{12}\.mjs$/);
    expect(await markOf('a')).toBe(first);
    expect(await markOf('http')).toMatch(/^ndjson [0-9a-f]{16}\/builtin-http\.mjs$/);
    await write({ 'tasks/a.ts': taskOf('2') });
    expect(await markOf('a')).not.toBe(first);
    await write({ 'tasks/a.ts': taskOf('1') });
    expect(await markOf('a')).toBe(first);
  });
});
