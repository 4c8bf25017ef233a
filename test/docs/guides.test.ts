import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/cli-process.ts';
import { filesOf, projectRoot } from './guide.ts';

const names = Array.from({ length: 10 }, (_, i) => `user ${i + 1}`);
let server: Server;
let origin: string;
let folder: string;

beforeAll(async () => {
  // Packages are found from a folder within the project; it is none of its sources.
  mkdirSync(path.join(projectRoot, '.fanloop'), { recursive: true });
  folder = mkdtempSync(path.join(projectRoot, '.fanloop', 'guides-test-'));
  server = createServer(({ url = '' }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: `user ${url.split('/').at(-1)}` }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A project with the files of a guide, which call the test's server. */
function project(guide: string): { readonly home: string; readonly env: Readonly<Record<string, string>> } {
  const home = mkdtempSync(path.join(folder, 'project-'));
  mkdirSync(path.join(home, 'tasks'));
  writeFileSync(path.join(home, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(home, 'urls.txt'), names.map((_, i) => `${origin}/users/${i + 1}\n`).join(''));
  for (const [name, code] of filesOf(guide)) {
    if (!name.startsWith('lib/'))
      writeFileSync(path.join(home, name), code.replaceAll('https://jsonplaceholder.typicode.com', origin));
  }
  return { home, env: { XDG_CACHE_HOME: path.join(home, 'cache') } };
}

/** Runs a program of a project; answers what it wrote. */
async function run({ home, env }: ReturnType<typeof project>, file: string): Promise<readonly string[]> {
  const hooks = path.join(import.meta.dirname, 'faces.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', hooks, file], {
    cwd: home,
    env: { ...process.env, ...env },
  });
  return stdout.trim().split('\n');
}

describe('docs/from-p-map.md', () => {
  it('comes to the same by each step: the script, the command line, the program, and the stream', async () => {
    const here = project('docs/from-p-map.md');
    expect(await run(here, 'script.ts')).toEqual(names);
    const { code } = await runCli(['run', 'user', '--input', 'urls.txt', '--out', 'users.ndjson'], {
      cwd: here.home,
      env: here.env,
    });
    expect(code).toBe(0);
    const rows = readFileSync(path.join(here.home, 'users.ndjson'), 'utf8').trim().split('\n');
    expect(rows.map((row) => JSON.parse(row).value.name)).toEqual(names);
    expect(await run(here, 'program.ts')).toEqual(names);
    expect(await run(here, 'stream.ts')).toEqual(names);
  });
});

describe('README.md', () => {
  it('shows a task and a program that run', async () => {
    const lines = await run(project('README.md'), 'program.ts');
    expect(lines.slice(0, 10)).toEqual(names);
    expect(lines.slice(10).sort()).toEqual(names.map((_, i) => `${i} succeeded`));
  });
});
