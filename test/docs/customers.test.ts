import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli } from '../cli/cli-process.ts';
import { projectRoot } from './guide.ts';

/** Fewer than in the guide, so that the test takes seconds. */
const customers = 600;
const ratePerSecond = 200;
const token = 'secret-of-the-customers-test';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let server: Server;
let origin: string;
let calls = 0;
let day = 1;

/** An API that wants a token, refuses 2 % for their rate once, knows no customer whose number ends in 50, and breaks for some on the first day. */
beforeAll(async () => {
  folder = await makeFolder();
  const refused = new Set<number>();
  server = createServer((request, response) => {
    calls++;
    const id = Number(request.url?.split('/').at(-1));
    const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) answer(401, { error: 'no token' });
    else if (id % 50 === 7 && !refused.has(id)) {
      refused.add(id);
      answer(429, { error: 'slowly' }, { 'retry-after': '0' });
    } else if (id % 100 === 50) answer(404, { error: `no customer ${id}` });
    else if (day === 1 && id % 200 === 3) answer(500, { error: 'tomorrow' });
    else answer(200, { id, name: `customer, ${id}` });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const ids = Array.from({ length: customers }, (_, n) => `${n + 1},somebody\r\n`);
  writeFileSync(folder.at('customers.csv'), `id,note\r\n${ids.join('')}`);
});
afterAll(async () => {
  server.close();
  await folder.remove();
});

/** The commands of the guide, in its order. */
function commands(): readonly string[] {
  const guide = readFileSync(path.join(projectRoot, 'docs', 'customers.md'), 'utf8');
  return [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, command = '']) => command);
}

async function shell(command: string | undefined): Promise<{ readonly code: number; readonly stderr: string }> {
  const door = `${process.execPath} ${path.join(projectRoot, 'bin', 'fanloop.js')}`;
  const script = (command ?? 'exit 99')
    .replaceAll('npx fanloop', door)
    .replace('export API_TOKEN=…', '')
    .replace('https://api.example.com', origin);
  const { FANLOOP_DEBUG: _, ...env } = process.env;
  try {
    const options = { cwd: folder.at('.'), env: { ...env, API_TOKEN: token, XDG_CACHE_HOME: folder.at('cache') } };
    const { stderr } = await promisify(execFile)('/bin/sh', ['-c', script], options);
    return { code: 0, stderr };
  } catch (error) {
    return { code: Number(Object(error).code), stderr: String(Object(error).stderr) };
  }
}

const table = (): readonly string[] =>
  readFileSync(folder.at('customers-out.csv'), 'utf8').trimEnd().split('\r\n').slice(1);

describe('docs/customers.md', () => {
  it('does all of them at the rate, and the next day what failed', async () => {
    const [first, retry, remove] = commands();
    const run = await shell(first);
    expect(run, run.stderr).toMatchObject({ code: 1, stderr: expect.stringContaining('200/s') });
    expect(run.stderr).toContain('HttpStatus404 6');
    expect(run.stderr).toContain('HttpStatus500 3');
    expect(run.stderr).not.toContain(token);
    const rows = table();
    expect(rows.map((row) => row.split(',').slice(0, 2).join())).toEqual(
      Array.from({ length: customers }, (_, n) => `${n},${n + 1}`),
    );
    expect(rows[0]).toContain('customer, 1');
    // By the workers' own word: a busy machine bunches at the server what was started evenly.
    const jobId = /^job (\w{20})/m.exec(run.stderr)?.[1] ?? '';
    const results = await runCli(['results', jobId], {
      cwd: folder.at('.'),
      env: { XDG_CACHE_HOME: folder.at('cache') },
    });
    const at = (parseLines(results.stdout) as Array<{ at: number }>).map((row) => row.at);
    expect(at).toHaveLength(customers);
    const seconds = (Math.max(...at) - Math.min(...at)) / 1_000;
    expect(customers / seconds).toBeLessThanOrEqual(1.1 * ratePerSecond);

    day = 2;
    const callsBefore = calls;
    const again = await shell(retry);
    expect(again, again.stderr).toMatchObject({ code: 1, stderr: expect.stringContaining('HttpStatus404 6') });
    // The nine that had failed, and no other.
    expect(calls - callsBefore).toBe(9);
    expect(table().filter((row) => row.includes('failed'))).toHaveLength(6);

    expect(await shell(remove)).toMatchObject({ code: 0 });
  });
});
