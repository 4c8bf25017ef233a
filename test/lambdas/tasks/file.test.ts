import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { task } from '../../../lambdas/tasks/file.ts';
import { type Endpoint, openEndpoint } from '../../../src/cloud/host/endpoint.ts';
import { useConnectors } from '../../../src/connectors/settings.ts';
import { parseItem } from '../../../src/task/task.ts';

const bucket = 'files';
let folder: string;
let endpoint: Endpoint;
let refused: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanloop-file-'));
  endpoint = await openEndpoint({
    stateDir: join(folder, 'cloud'),
    authorize: ({ action }) => action !== refused,
    invoke: () => Promise.reject(new Error('there are no functions here')),
  });
  endpoint.createBucket(bucket);
  // The tasks of a process share one S3 client, which reads these when it is first used.
  process.env['AWS_ENDPOINT_URL'] = endpoint.url;
  process.env['AWS_REGION'] = 'us-east-1';
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  useConnectors({ bucket });
});
afterEach(() => {
  refused = undefined;
  useConnectors({ bucket });
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

interface Value {
  readonly bytes: number;
  readonly lines?: number;
  readonly sha256?: string;
  readonly written?: { readonly key?: string; readonly bytes: number };
}

/** Parses and runs an item as the worker does. */
async function run(item: unknown, signal = new AbortController().signal): Promise<Value> {
  const parsed = await parseItem(task, item);
  if (!parsed.ok) throw new Error(parsed.problem);
  // The task's own values.
  return (await task.run(parsed.value, {
    signal,
    attempt: 1,
    idempotencyKey: 'job/7',
    log: () => {},
    used: () => {},
  })) as Value;
}

const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request' };
const urlOf = (key: string): string => `${endpoint.url}/${bucket}/${key}`;

async function put(key: string, body: string | Buffer): Promise<string> {
  const answer = await fetch(urlOf(key), { method: 'PUT', headers: signed, body: Buffer.from(body) });
  expect(answer.status).toBe(200);
  return `s3://${bucket}/${key}`;
}

async function get(key: string): Promise<Buffer | undefined> {
  const answer = await fetch(urlOf(key), { headers: signed });
  const body = Buffer.from(await answer.arrayBuffer());
  return answer.status === 200 ? body : undefined;
}

const sha256 = (body: Buffer | string): string => createHash('sha256').update(body).digest('hex');

describe('an object', () => {
  test('is counted and hashed', async () => {
    const from = await put('in', 'one\ntwo\nthree');
    expect(await run({ from, count: true, sha256: true })).toEqual({
      bytes: 13,
      lines: 3,
      sha256: sha256('one\ntwo\nthree'),
    });
  });

  test('that is empty is no failure', async () => {
    const from = await put('empty', '');
    expect(await run({ from, count: true, sha256: true, to: `s3://${bucket}/empty-copy` })).toMatchObject({
      bytes: 0,
      lines: 0,
      sha256: sha256(''),
      written: { bytes: 0 },
    });
    expect(await get('empty-copy')).toEqual(Buffer.alloc(0));
  });

  test('is written into the folder of the job, the same one again for the same item', async () => {
    const from = await put('in', 'one\n');
    const first = await run({ from, to: 'job' });
    expect(first.written).toMatchObject({ bucket, key: 'jobs/job/files/7', bytes: 4 });
    expect(await run({ from, to: 'job' })).toEqual(first);
    expect((await get('jobs/job/files/7'))?.toString()).toBe('one\n');
  });

  test('keeps the lines that contain a text, wherever blocks are cut', async () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, index) => `${index % 7 === 0 ? 'ERROR' : 'info'} ${'x'.repeat(index % 90)} ${index}`,
    );
    const from = await put('log', lines.join('\n'));
    const wanted = lines.filter((line) => line.includes('ERROR'));
    const value = await run({ from, filter: 'ERROR', count: true, sha256: true, to: `s3://${bucket}/errors` });
    const written = (await get('errors'))?.toString() ?? '';
    expect(written.split('\n').filter((line) => line !== '')).toEqual(wanted);
    expect(value).toMatchObject({ lines: wanted.length, sha256: sha256(written), written: { bytes: written.length } });
  });

  test('over several parts arrives as it is, plain and packed', async () => {
    const body = randomBytes(20_000_000);
    const from = await put('big', body);
    const plain = await run({ from, sha256: true, to: `s3://${bucket}/big-copy` });
    expect(plain).toMatchObject({ bytes: body.byteLength, sha256: sha256(body), written: { bytes: body.byteLength } });
    expect((await get('big-copy'))?.equals(body)).toBe(true);
    await run({ from, gzip: true, to: `s3://${bucket}/big.gz` });
    const packed = await get('big.gz');
    expect(packed !== undefined && gunzipSync(packed).equals(body)).toBe(true);
  });

  test('that is not there fails', async () => {
    await expect(run({ from: `s3://${bucket}/nowhere`, to: 'job' })).rejects.toMatchObject({
      code: 'ObjectNotFound',
      retryable: false,
    });
  });

  test('that may not be read or written fails', async () => {
    const from = await put('in', 'one');
    refused = 's3:GetObject';
    await expect(run({ from })).rejects.toMatchObject({ code: 'AccessDenied', status: 403, retryable: false });
    refused = 's3:PutObject';
    await expect(run({ from, to: 'job' })).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  test('without line ends cannot be filtered', async () => {
    const from = await put('long', Buffer.alloc(5_000_000, 'x'));
    await expect(run({ from, filter: 'y' })).rejects.toMatchObject({ code: 'LineTooLong', retryable: false });
  });

  test('whose attempt is over leaves nothing behind', async () => {
    const from = await put('big', randomBytes(20_000_000));
    const controller = new AbortController();
    const reason = new Error('time is up');
    const outcome = run({ from, to: `s3://${bucket}/cut-off` }, controller.signal);
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(await get('cut-off')).toBeUndefined();
  });

  test('is not written among the jobs of the stack', async () => {
    const from = await put('in', 'one');
    await expect(run({ from, to: `s3://${bucket}/jobs/other/summary.json` })).rejects.toMatchObject({
      code: 'InvalidTarget',
    });
  });
});

describe('a file of this machine', () => {
  const open = async (): Promise<string> => {
    const root = await mkdtemp(join(folder, 'root-'));
    useConnectors({ bucket, localFiles: root });
    return root;
  };

  test('is read and written where the host opens a folder', async () => {
    const root = await open();
    await writeFile(join(root, 'in.log'), 'a\nb\nab\n');
    const value = await run({ from: 'in.log', filter: 'a', count: true, gzip: true, to: 'out/a.gz' });
    expect(value).toMatchObject({ bytes: 7, lines: 2, written: { path: 'out/a.gz' } });
    expect(gunzipSync(await readFile(join(root, 'out/a.gz'))).toString()).toBe('a\nab\n');
    expect(await readdir(join(root, 'out'))).toEqual(['a.gz']);
  });

  test('is refused where it does not, as on AWS', async () => {
    await expect(run({ from: '/etc/hostname' })).rejects.toMatchObject({ code: 'LocalFilesRefused', retryable: false });
    const from = await put('in', 'one');
    await expect(run({ from, to: 'out' })).rejects.toMatchObject({ code: 'LocalFilesRefused' });
  });

  test.each(['../secret', '/etc/hostname', 'link/secret', 'link/new/secret'])(
    'outside of the folder is refused (%s)',
    async (path) => {
      const root = await open();
      await writeFile(join(folder, 'secret'), 'secret');
      await symlink(folder, join(root, 'link'));
      await expect(run({ from: path })).rejects.toMatchObject({ code: 'LocalFilesRefused' });
      await writeFile(join(root, 'in'), 'one');
      await expect(run({ from: 'in', to: path })).rejects.toMatchObject({ code: 'LocalFilesRefused' });
      expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('secret');
    },
  );

  test.each([
    ['below where a file system takes none', '/proc/none/below/out', 'ENOENT'],
    ['below a file', 'in/below/out', 'ENOTDIR'],
    ['in the place of a folder', 'folder', 'EISDIR'],
  ])('cannot be written %s', async (_, to, code) => {
    useConnectors({ bucket, localFiles: '/' });
    const root = await mkdtemp(join(folder, 'root-'));
    await writeFile(join(root, 'in'), 'one');
    await mkdir(join(root, 'folder'));
    const target = resolve(root, to);
    await expect(run({ from: join(root, 'in'), to: target })).rejects.toMatchObject({
      code: 'FileFailed',
      message: `expected to use the file ${target}, got ${code}`,
    });
    expect(await readdir(root)).toEqual(['folder', 'in']);
  });

  test('is written once its folder was made by several at once', async () => {
    const root = await open();
    await writeFile(join(root, 'in'), 'one');
    const names = Array.from({ length: 20 }, (_, n) => `a/b/c/${n}`);
    await Promise.all(names.map((to) => run({ from: 'in', to })));
    expect(await readdir(join(root, 'a/b/c'))).toHaveLength(20);
  });

  test('that is not there fails, and leaves no output', async () => {
    const root = await open();
    await expect(run({ from: 'nowhere', to: 'out' })).rejects.toMatchObject({
      code: 'FileFailed',
      message: expect.stringContaining('ENOENT'),
    });
    expect(await readdir(root)).toEqual([]);
  });
});

test.each<[unknown, string]>([
  [{}, 'from: expected s3://bucket/key, or a path where tasks run on this machine'],
  [{ from: '' }, 'from: expected s3://bucket/key'],
  [{ from: 'a', gzip: true }, 'to: expected a place for the gzip file'],
  [{ from: 'a', filter: 'a\nb' }, 'filter: expected a text without a line end'],
  [{ from: 'a', filter: '' }, 'filter: expected a text that lines contain'],
  [{ from: 'a', count: 1 }, 'count: expected true or false'],
])('refuses %j', async (item, problem) => {
  expect(await parseItem(task, item)).toEqual({ ok: false, problem });
});

test('accepts its own example', async () => {
  expect(await parseItem(task, task.example)).toMatchObject({ ok: true });
});

test('a gzip file is unpacked where lines are looked for in it', async () => {
  await put('log.gz', gzipSync('one\ntwo ERROR\nthree\n'));
  expect(await run({ from: `s3://${bucket}/log.gz`, count: true })).toMatchObject({ lines: 3, unpacked: true });
  expect(await run({ from: `s3://${bucket}/log.gz`, filter: 'ERROR', count: true })).toMatchObject({ lines: 1 });
  await put('log.txt', 'one\n');
  expect(await run({ from: `s3://${bucket}/log.txt`, count: true })).not.toHaveProperty('unpacked');
});
