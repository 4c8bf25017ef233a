import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli } from './cli-process.ts';

const secret = 'sk-planted/7c1f&"9e';
const header = ['--secret-header', 'authorization=Bearer {API_TOKEN}'];

/** Answers with what it was sent, as careless APIs do; `/refused` as a failure. */
const api = createServer((request, response) => {
  seen.push(request.headers.authorization);
  response.writeHead(request.url === '/refused' ? 422 : 200, {
    'content-type': 'application/json',
    etag: `"${request.headers.authorization}"`,
  });
  response.end(JSON.stringify({ youSent: request.headers, url: encodeURIComponent(secret) }));
});
const seen: Array<string | undefined> = [];
let url = '';
let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
  await once(api.listen(0, '127.0.0.1'), 'listening');
  // A server that listens on a port has an address with one.
  url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
});
afterAll(async () => {
  api.close();
  await folder.remove();
});

/** Every byte that a job has written below a folder. */
async function bytesBelow(place: string): Promise<string> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return files.map((file, n) => `${file}\n${contents[n]}`).join('\n');
}

/** The forms in which a secret could stand somewhere. */
const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];

describe('a secret', () => {
  it('reaches the calls of a job, and no byte that the job writes', async () => {
    const items = [...Array.from({ length: 40 }, (_, n) => `${url}/${n}`), `${url}/refused`];
    const state = folder.at('state');
    const options = { env: { API_TOKEN: secret, XDG_CACHE_HOME: folder.at('cache') }, stdin: `${items.join('\n')}\n` };
    const input = ['--input', '-', '--format', 'lines'];
    const { code, stdout, stderr } = await runCli(['run', 'http', ...input, ...header, '--state', state], options);
    expect(code, stderr).toBe(1);
    const rows = parseLines(stdout);
    expect(rows).toHaveLength(41);
    expect(rows[0]).toMatchObject({ value: { body: { youSent: { authorization: 'Bearer {API_TOKEN}' } } } });
    expect(rows[40]).toMatchObject({ error: { code: 'HttpStatus422', body: expect.stringContaining('{API_TOKEN}') } });
    expect(new Set(seen)).toEqual(new Set([`Bearer ${secret}`]));
    const written = (await bytesBelow(state)) + stdout + stderr;
    expect(written).toContain('HttpStatus422');
    expect(forms.filter((form) => written.includes(form))).toEqual([]);
  });

  it('may stand in .env, also for a job that runs at once', async () => {
    const place = folder.at('project');
    await mkdir(place);
    await writeFile(path.join(place, '.env'), `OTHER=1\nAPI_TOKEN='${secret}'\n`);
    const state = folder.at('state-env');
    const { code, stdout, stderr } = await runCli(['run', 'http', `${url}/1`, ...header, '--state', state], {
      cwd: place,
      env: { XDG_CACHE_HOME: folder.at('cache') },
    });
    expect(code, stderr).toBe(0);
    const written = (await bytesBelow(state)) + stdout + stderr;
    expect(written).toContain('Bearer {API_TOKEN}');
    expect(forms.filter((form) => written.includes(form))).toEqual([]);
  });

  it('that is missing refuses the job before any call, in one sentence', async () => {
    const before = seen.length;
    const { code, stdout, stderr } = await runCli(
      ['run', 'http', `${url}/1`, '--secret-header', 'x-key={NO_SUCH_TOKEN}', '--state', folder.at('state')],
      { env: { XDG_CACHE_HOME: folder.at('cache') } },
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('expected the secret NO_SUCH_TOKEN, got none: export it or write it to .env');
    expect(seen.length).toBe(before);
  });

  it.each([
    [['run', 'say-after', '{"delayMs":1,"message":"x"}'], 'expected --secret-header with the task http'],
    [['run', 'http', 'https://example.com/'], undefined],
  ])('is refused where it cannot be used: %j', async (args, message) => {
    const given = message === undefined ? ['--secret-header', 'authorization=sk-plain'] : header;
    const { code, stderr } = await runCli([...args, ...given, '--state', folder.at('state')]);
    expect(code).toBe(2);
    expect(stderr).toContain(message ?? "expected --secret-header 'authorization=Bearer {API_TOKEN}'");
    expect(stderr).not.toContain('sk-plain');
  });
});
