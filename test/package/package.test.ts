import { chmod, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InstalledProject, installPackage } from './project.ts';

let project: InstalledProject;

beforeAll(async () => {
  project = await installPackage();
}, 600_000);
afterAll(() => project.remove());

const rowsOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe('the package, installed in an empty folder', () => {
  it('is small, and brings neither the CDK nor sources', async () => {
    expect(project.megabytes).toBeLessThanOrEqual(85);
    expect(project.packages).toBeLessThanOrEqual(80);
    const own = path.join(project.root, 'node_modules', 'fanloop');
    expect((await readdir(own)).sort()).toEqual(['README.md', 'bin', 'dist', 'docs', 'package.json', 'prebuilt']);
    const files = await readdir(own, { recursive: true });
    expect(files.filter((file) => file.endsWith('.ts') && !/\.d\.ts$/.test(file))).toEqual([]);
    expect(await readdir(path.join(project.root, 'node_modules'))).not.toContain('aws-cdk-lib');
  });

  it('has every file that its exports name', async () => {
    const own = path.join(project.root, 'node_modules', 'fanloop');
    const { exports, typesVersions, main, types } = JSON.parse(await readFile(path.join(own, 'package.json'), 'utf8'));
    const named =
      JSON.stringify([exports, typesVersions, main, types]).match(/\.\/[\w./-]+\.(?:json|[cm]?js|[cm]?ts)(?=")/g) ?? [];
    expect(named.length).toBeGreaterThan(15);
    for (const file of named) await expect(readFile(path.join(own, file)), file).resolves.toBeDefined();
  });

  it('makes a first task, which runs at once, and leaves it when it is asked again', async () => {
    expect(await project.fanloop(['init'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('npx fanloop run hello'),
    });
    await project.write({ 'names.txt': 'Ada\nGrace\n' });
    const { code, stdout, stderr } = await project.fanloop(['run', 'hello', '--input', 'names.txt']);
    expect(code, stderr).toBe(0);
    expect(rowsOf(stdout)).toMatchObject([{ value: 'Hello, Ada!' }, { value: 'Hello, Grace!' }]);
    expect(await project.fanloop(['init'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('left as it is'),
    });
  });

  it('runs the five tasks that come along', async () => {
    await project.write({ 'text.txt': 'a\nb\n' });
    const items: Readonly<Record<string, unknown>> = {
      'say-after': { delayMs: 1, message: 'x' },
      cpu: { limit: 100 },
      file: { from: 'text.txt', count: true },
      database: { put: { pk: 'a', sk: 'b' } },
    };
    for (const [task, item] of Object.entries(items)) {
      const { stdout, stderr } = await project.fanloop(['run', task, JSON.stringify(item)]);
      expect(rowsOf(stdout), `${task}: ${stderr}`).toMatchObject([{ status: 'succeeded' }]);
    }
    // Nobody listens there: what is seen is the task's own failure.
    const refused = await project.fanloop(['run', 'http', '--attempts', '1', 'http://127.0.0.1:1/']);
    expect(rowsOf(refused.stdout), refused.stderr).toMatchObject([
      { status: 'failed', error: { code: 'ConnectionFailed' } },
    ]);
  });

  it('works for a program, in one instance with its tasks, and for CommonJS', async () => {
    await project.write({
      'tasks/picky.ts': `
        import { defineTask, TaskError } from 'fanloop';
        import { z } from 'zod';
        export const task = defineTask({ description: 'x', input: z.string(), example: 'x', run: () => { throw new TaskError('no', { code: 'Picky' }); } });`,
      'program.mjs': `
        import { connect } from 'fanloop';
        await using fanloop = await connect();
        const job = await fanloop.submit('picky', ['a']);
        for await (const row of job.results()) console.log(row.error.code);`,
      'program.cjs': `
        const { connect, defineTask, TaskError } = require('fanloop');
        console.log(typeof defineTask, new TaskError('a', { code: 'B' }).code);
        connect().then(async (fanloop) => { console.log(JSON.stringify(await fanloop.map('hello', ['x']))); await fanloop[Symbol.asyncDispose](); });`,
    });
    expect(await project.node(['program.mjs'])).toMatchObject({ code: 0, stdout: 'Picky\n' });
    expect(await project.node(['program.cjs'])).toMatchObject({ code: 0, stdout: 'function B\n["Hello, x!"]\n' });
  });

  it('has types that a strict program is checked by, its libraries included', async () => {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022'],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
    };
    await project.write({
      'typed.mts': `
        import { connect, defineTask, TaskError } from 'fanloop';
        import { gather, sleep } from 'fanloop/aio';
        import { taskTables } from 'fanloop/dynamodb';
        import { readPlace } from 'fanloop/files';
        import { httpCall } from 'fanloop/http';
        import { simulate } from 'fanloop/testing';
        import { z } from 'zod';
        export const task = defineTask({ description: 'x', input: z.object({ id: z.int() }), example: { id: 1 }, run: ({ id }) => id * 2 });
        export async function main(): Promise<number> {
          await using fanloop = await connect();
          const values: unknown[] = await fanloop.map(task, [{ id: 1 }]);
          await gather([sleep(1)]);
          // @ts-expect-error an item of another type
          void fanloop.map(task, [{ id: 'one' }]);
          return [values, httpCall, taskTables, readPlace, simulate, TaskError].length;
        }`,
      'typed.cts':
        "import { connect, defineTask, TaskError } from 'fanloop';\nexport const all = [connect, defineTask, new TaskError('a', { code: 'B' })];",
      'tsconfig.esm.json': JSON.stringify({
        compilerOptions: { ...compilerOptions, module: 'nodenext' },
        files: ['typed.mts', 'tasks/hello.ts'],
      }),
      'tsconfig.cjs.json': JSON.stringify({
        compilerOptions: { ...compilerOptions, module: 'node16' },
        files: ['typed.cts'],
      }),
    });
    expect(await project.tsc('tsconfig.esm.json')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await project.tsc('tsconfig.cjs.json')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('needs to write nothing in its own folder or the project', async () => {
    const own = path.join(project.root, 'node_modules', 'fanloop');
    const before = await readdir(project.root);
    await chmod(own, 0o555);
    await chmod(path.join(own, 'prebuilt'), 0o555);
    expect(await project.fanloop(['run', 'hello', 'Ada'])).toMatchObject({ code: 0 });
    expect(await readdir(project.root)).toEqual(before);
    await chmod(own, 0o755);
    await chmod(path.join(own, 'prebuilt'), 0o755);
  });

  it('refuses an older Node in one sentence, before anything else is loaded', async () => {
    const script =
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.18.0' } }); await import('./node_modules/fanloop/bin/fanloop.js');";
    const stderr = 'fanloop: expected Node 22.19 or newer, got 22.18.0; install a newer one from https://nodejs.org\n';
    expect(await project.node(['--input-type=module', '--eval', script])).toEqual({ code: 2, stdout: '', stderr });
  });

  it('says in one sentence what deploying needs', async () => {
    const { code, stderr } = await project.fanloop([
      'deploy',
      '--target',
      'localstack',
      '--endpoint',
      'http://127.0.0.1:1',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/npm i.* aws-cdk-lib|127\.0\.0\.1:1/);
  });
});
