import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli } from './cli-process.ts';

/** Answers each request with its path, method, and one header. */
const echo = createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request)).toString();
  const isFile = request.url === '/file';
  response.setHeader('content-type', isFile ? 'text/plain' : 'application/json');
  if (isFile) response.end('id;delayMs\n1;5\n2;6\n');
  else response.end(JSON.stringify({ url: request.url, method: request.method, x: request.headers['x-id'], body }));
});

let folder: Awaited<ReturnType<typeof makeFolder>>;
let url = '';
const run = (...args: readonly string[]) => runCli(['run', ...args, '--state', folder.at('state')]);

beforeAll(async () => {
  folder = await makeFolder();
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
});
afterAll(async () => {
  echo.close();
  await folder.remove();
});

describe('a table of ids', () => {
  it('becomes requests by a template, and a table of answers with the ids', async () => {
    const customers = 'id,name\n17,"Ada, L."\n4/2,Bob\n';
    await writeFile(folder.at('customers.csv'), customers);
    const input = ['--input', folder.at('customers.csv'), '--key', 'id', '--out', folder.at('out.csv')];
    const shape = ['--map', `{"url":"${url}/customers/{id}"}`, '--header', 'x-id: {id}', '--method', 'POST'];
    const { code, stderr } = await run(
      'http',
      ...input,
      ...shape,
      '--body',
      '{"name":"{name}"}',
      '--select',
      'key,value.body',
    );
    expect(stderr).toContain('2 items');
    expect(code).toBe(0);
    const answer = (id: string, path: string, name: string): string =>
      JSON.stringify({ url: `/customers/${path}`, method: 'POST', x: id, body: JSON.stringify({ name }) }).replaceAll(
        '"',
        '""',
      );
    await expect(readFile(folder.at('out.csv'), 'utf8')).resolves.toBe(
      `key,value.body\r\n17,"${answer('17', '17', 'Ada, L.')}"\r\n4/2,"${answer('4/2', '4%2F2', 'Bob')}"\r\n`,
    );
  });

  it('is read from gzip, and several files after another', async () => {
    await writeFile(folder.at('p1.csv.gz'), gzipSync('delayMs,message\n1,a\n'));
    await writeFile(folder.at('p2.csv'), 'delayMs,message\n1,b\n1,c\n');
    const input = ['--input', folder.at('p*.csv*'), '--map', '{"delayMs":"{delayMs:number}","message":"{message}"}'];
    const out = folder.at('out.ndjson.gz');
    const { code } = await run('say-after', ...input, '--with-item', '--skip', '1', '--out', out);
    expect(code).toBe(0);
    expect(parseLines(gunzipSync(await readFile(out)).toString())).toMatchObject([
      { index: 0, value: 'b', item: { delayMs: 1, message: 'b' } },
      { index: 1, value: 'c', item: { delayMs: 1, message: 'c' } },
    ]);
  });

  it('is read from S3 as from a file, and recognised by its first bytes where its name says nothing', async () => {
    const stored = await run('http', JSON.stringify({ url: `${url}/file`, as: 'object' }));
    const [row] = parseLines(stored.stdout) as [{ value: { body: { bucket: string; key: string } } }];
    const address = `s3://${row.value.body.bucket}/${row.value.body.key}`;
    const map = '{"delayMs":"{delayMs:number}","message":"no {id}"}';
    const { code, stdout, stderr } = await run('say-after', '--input', address, '--map', map);
    expect(stderr).toContain('is read as csv; --format says otherwise');
    expect(code).toBe(0);
    expect(parseLines(stdout)).toMatchObject([
      { index: 0, key: '1', value: 'no 1' },
      { index: 1, key: '2', value: 'no 2' },
    ]);
  });
});

describe('an input with lines that are no items', () => {
  it('is refused before anything starts, each of its lines named', async () => {
    await writeFile(folder.at('bad.ndjson'), '{"delayMs":1,"message":"a"}\n{"delayMs":-1}\nzz\n');
    const { code, stdout, stderr } = await run('say-after', '--input', folder.at('bad.ndjson'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^fanloop: 2 items are refused: .*bad\.ndjson, line 2: .*bad\.ndjson, line 3: .*\n$/);
  });

  it('runs the others where that is asked for, on the way of a long input too', async () => {
    const good = Array.from({ length: 40 }, (_, i) => `{"delayMs":1,"message":"m${i}"}\n`).join('');
    await writeFile(folder.at('mixed.ndjson'), `${good}nonsense\n`);
    const { code, stdout } = await run(
      'say-after',
      '--input',
      folder.at('mixed.ndjson'),
      '--on-invalid',
      'fail-item',
      '--failed',
    );
    expect(code).toBe(1);
    expect(parseLines(stdout)).toMatchObject([
      {
        index: 40,
        status: 'failed',
        attempts: 0,
        error: { code: 'InvalidInput', message: expect.stringContaining('line 41: ') },
      },
    ]);
  });
});

describe('what is wrong use', () => {
  it.each([
    [['--input', '/'], 'expected a file, got the folder /'],
    [['--input', 'absent.csv'], 'absent.csv: there is none'],
    [['--limit', '0', '1'], '--limit'],
    [['--format', 'csv', '1'], '--format needs --input'],
    [['--map', '{"a":', '1'], 'expected --map to be JSON'],
    [['--delimiter', 'ab', '1'], 'expected --delimiter to be one character'],
  ])('%j ends with exit code 2 and one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await run('say-after', ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
