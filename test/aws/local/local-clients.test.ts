import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3InputReader } from '../../../src/aws/input-reader.ts';
import { JobStore } from '../../../src/aws/job-store.ts';
import { LocalInput } from '../../../src/aws/local/local-input.ts';
import { LocalQueue } from '../../../src/aws/local/local-queue.ts';
import { LocalRequests } from '../../../src/aws/local/local-requests.ts';
import { LocalStore } from '../../../src/aws/local/local-store.ts';
import { s3Client } from '../../../src/aws/s3.ts';
import type { Disturbance } from '../../../src/cloud/host/disturb.ts';
import { type Endpoint, openEndpoint } from '../../../src/cloud/host/endpoint.ts';
import { mapBounded } from '../../../src/concurrency.ts';
import { writeObject } from '../../../src/connectors/files/object-upload.ts';
import { bellFor, bodyAgain, encodeMessage } from '../../../src/format/message.ts';
import type { InputReader, ObjectStore } from '../../../src/ports.ts';
import { smallFirst } from '../../../src/targets/local-upload.ts';
import { verdictOf } from '../../../src/task/verdict.ts';

const stateDir = mkdtempSync(path.join(tmpdir(), 'fanloop-local-store-test-'));
const disturbances: Disturbance[] = [];
let endpoint: Endpoint;
let asked = 0;
beforeAll(async () => {
  endpoint = await openEndpoint({
    stateDir,
    authorize: ({ accessKeyId }) => accessKeyId === 'me',
    invoke: async () => ({ status: 500, payload: '' }),
    disturb: () => {
      asked++;
      return disturbances.shift();
    },
  });
  endpoint.createBucket('jobs');
});
afterAll(async () => {
  await endpoint.close();
  rmSync(stateDir, { recursive: true });
});

const connection = (accessKeyId = 'me') => ({
  endpoint: endpoint.url,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey: 'secret' },
});
const local = (accessKeyId?: string): ObjectStore => new LocalStore(new LocalRequests(connection(accessKeyId)), 'jobs');

describe('LocalStore', () => {
  it('answers what the store on the SDK answers', async () => {
    const [own, other] = [local(), new JobStore(s3Client(connection()), 'jobs')];
    const strange = "a b/+&<>'é%2F~!*().json";
    const etag = await own.put(strange, 'one', { metadata: { request: 'abc' } });
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await own.put(strange, 'two', { condition: { ifAbsent: true } })).toBeUndefined();
    expect(
      await own.put(strange, 'two', { condition: { ifMatch: '"00000000000000000000000000000000"' } }),
    ).toBeUndefined();
    expect(await own.put('absent', 'two', { condition: { ifMatch: etag ?? '' } })).toBeUndefined();
    const replaced = await own.put(strange, 'three', { condition: { ifMatch: etag ?? '' }, metadata: { a: 'b' } });
    expect(replaced).toBeDefined();
    for (const key of [strange, 'absent']) {
      const [one, same] = [await own.get(key), await other.get(key)];
      // The answer's second may be another.
      expect({ ...one, answeredAt: 0, body: one?.body.toString() }).toEqual({
        ...same,
        answeredAt: 0,
        body: same && Buffer.from(same.body).toString(),
      });
      expect(await own.head(key)).toEqual(await other.head(key));
    }
    await own.put('empty', '');
    expect((await own.get('empty'))?.body.length).toBe(0);
    await own.delete(strange);
    await own.delete('absent');
    expect(await own.head(strange)).toBeUndefined();
  });

  it('lists as the store on the SDK does, page by page', async () => {
    const [own, other] = [local(), new JobStore(s3Client(connection()), 'jobs')];
    const keys = Array.from({ length: 1_100 }, (_, n) => `many/&${String(n).padStart(5, '0')} <x>`);
    await mapBounded(keys, 32, (key) => own.put(key, '1'));
    expect(await own.list('many/')).toEqual(keys);
    for (const options of [
      { limit: 1 },
      { limit: 1_050 },
      { startAfter: keys[7] ?? '' },
      { limit: 3, startAfter: 'z' },
    ])
      expect(await own.list('many/', options)).toEqual(await other.list('many/', options));
    expect(await own.list('none/')).toEqual([]);
  });

  it.each<Disturbance>([
    { kind: 'refuse', status: 503 },
    { kind: 'refuse', status: 500 },
    { kind: 'reset' },
    { kind: 'truncate' },
  ])('asks again after $kind $status', async (disturbance) => {
    const store = local();
    await store.put('kept', 'x'.repeat(1_000));
    disturbances.push(disturbance, disturbance);
    expect((await store.get('kept'))?.body.length).toBe(1_000);
    expect(disturbances).toEqual([]);
  });

  it('asks again after a conflict of two conditional writes, and meets its own write whose answer was lost', async () => {
    const store = local();
    disturbances.push({ kind: 'refuse', status: 409 });
    expect(await store.put('once', '1', { condition: { ifAbsent: true } })).toBeDefined();
    disturbances.push({ kind: 'lose' });
    expect(await store.put('twice', '1', { condition: { ifAbsent: true } })).toBeUndefined();
    expect((await store.get('twice'))?.body.toString()).toBe('1');
  });

  it('gives up after five tries, and at once where it may not', async () => {
    disturbances.push(...Array.from({ length: 5 }, () => ({ kind: 'refuse', status: 503 }) as const));
    const before = asked;
    await expect(local().get('kept')).rejects.toMatchObject({ statusCode: 503 });
    expect(asked - before).toBe(5);
    await expect(local('other').get('kept')).rejects.toMatchObject({ statusCode: 403 });
    expect(asked - before).toBe(6);
  });

  it('takes a bucket that is not there for no absent object', async () => {
    const store = new LocalStore(new LocalRequests(connection()), 'other');
    await expect(store.get('kept')).rejects.toThrow('NoSuchBucket');
  });
});

describe('LocalRequests', () => {
  const get = { service: 's3', method: 'GET', path: '/jobs/kept' } as const;
  const hang = { kind: 'hang', ms: 60_000, applied: false } as const;

  it('fails by a code that passes when nobody answers in time', async () => {
    disturbances.push(...Array.from({ length: 5 }, () => hang));
    const error = await new LocalRequests(connection()).send({ ...get, timeoutMs: 20 }).catch((thrown) => thrown);
    expect(verdictOf(error)).toMatchObject({ code: 'ETIMEDOUT', retryable: true });
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    disturbances.push(hang);
    const sent = new LocalRequests(connection()).send({ ...get, signal: controller.signal });
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
    disturbances.length = 0;
  });
});

it('is told what is stored: an object when it is whole, and no part of it', async () => {
  const told: string[] = [];
  const end = endpoint.onStored((key) => told.push(key));
  await local().put('a/b c.json', '1');
  const client = s3Client(connection());
  const signal = new AbortController().signal;
  const blocks = (async function* () {
    for (let n = 0; n < 2; n++) yield Buffer.alloc(9 * 2 ** 20);
  })();
  await writeObject(client, { bucket: 'jobs', key: 'large' }, { blocks, signal });
  await local().put('a/b c.json', '1', { condition: { ifAbsent: true } });
  await local().get('large');
  end();
  await local().put('later', '1');
  expect(told).toEqual(['a/b c.json', 'large']);
});

describe('smallFirst', () => {
  const signal = new AbortController().signal;

  async function* blocks(count: number, bytes: number) {
    const block = Buffer.alloc(bytes);
    for (let n = 0; n < count; n++) {
      // One block is filled again and again, as a reader of files may do.
      yield block.fill(n);
    }
  }

  it('stores few blocks by one request with their metadata, and asks for nothing else', async () => {
    const store = local();
    const upload = smallFirst(store, () => Promise.reject(new Error('expected no other upload')));
    const before = asked;
    await upload('small', blocks(8, 1_048_576), { signal, metadata: { checked: 'ndjson x' } });
    expect(asked - before).toBe(1);
    const stored = await store.get('small');
    expect(stored?.metadata).toEqual({ checked: 'ndjson x' });
    expect(stored?.body.length).toBe(8_388_608);
    expect([0, 1, 7].map((n) => stored?.body[n * 1_048_576])).toEqual([0, 1, 7]);
  });

  it('leaves many blocks to another upload, the first ones with them', async () => {
    const given: number[] = [];
    const upload = smallFirst(local(), async () => async (_key, source) => {
      for await (const block of source) given.push(block[0] ?? -1);
    });
    await upload('large', blocks(12, 1_048_576), { signal });
    expect(given).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });

  it('stores nothing when the blocks fail, or nobody wants them any more', async () => {
    const store = local();
    const upload = smallFirst(store, () => Promise.reject(new Error('expected no other upload')));
    async function* failing() {
      yield* blocks(1, 10);
      throw new Error('the source broke');
    }
    await expect(upload('none', failing(), { signal })).rejects.toThrow('the source broke');
    const gone = AbortSignal.abort(new Error('left'));
    await expect(upload('none', blocks(1, 10), { signal: gone })).rejects.toThrow('left');
    expect(await store.get('none')).toBeUndefined();
  });
});

describe('LocalQueue', () => {
  const queueOf = (url: string, accessKeyId?: string) =>
    new LocalQueue(new LocalRequests(connection(accessKeyId)), url);

  it('sends messages with their group and delay, and names the request that was refused', async () => {
    const { url } = await endpoint.createQueue('ticks');
    await queueOf(url).send(['{"n":1}', '{"n":2}'], { group: 'j' });
    await queueOf(url).send(['{"n":3}'], { group: 'j', delaySeconds: 900 });
    const received = await endpoint.receive(url, { max: 10 });
    expect(received.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":2}']);
    expect(received.map(({ attributes }) => attributes['MessageGroupId'])).toEqual(['j', 'j']);
    const before = asked;
    const stranger = queueOf(url, 'nobody').send(['{}'], { group: 'j' });
    await expect(stranger).rejects.toThrow(/expected POST \/ to succeed, got status 403/);
    expect(asked - before).toBe(1);
  });

  it('marks a message that may have been sent before, and asks again after a refusal that passes', async () => {
    const { url } = await endpoint.createQueue('marked');
    disturbances.push({ kind: 'lose' }, { kind: 'refuse', status: 503 });
    const work = encodeMessage(bellFor({ id: 'job', pass: 0 }, 0));
    await queueOf(url).send([work], { group: 'j' });
    const received = await endpoint.receive(url, { max: 10 });
    expect(received.map(({ body }) => body)).toEqual([work, bodyAgain(work)]);
  });

  it('says which invocation sends, as the SDK does: by that Lambda finds recursion', async () => {
    const { url } = await endpoint.createQueue('traced');
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a:1';
    await new LocalQueue(new LocalRequests(connection(), () => trace), url).send(['{}'], { group: 'j' });
    const [message] = await endpoint.receive(url, { max: 1 });
    expect(message?.attributes['AWSTraceHeader']).toBe(trace);
  });
});

describe('LocalInput', () => {
  const inputs = () =>
    [new LocalInput(new LocalRequests(connection())), new S3InputReader(s3Client(connection()))] as const;
  const read = async (input: InputReader, ...of: Parameters<InputReader['stream']>): Promise<string> =>
    Buffer.concat(await Array.fromAsync(input.stream(...of))).toString();

  it('reads what the reader on the SDK reads', async () => {
    const etag = (await local().put('in put.ndjson', '0123456789', { metadata: { a: 'b' } })) ?? '';
    const [own, other] = inputs();
    const at = { bucket: 'jobs', key: 'in put.ndjson', etag };
    expect(await own.head(at)).toEqual(await other.head(at));
    expect(await own.head({ ...at, key: 'absent' })).toBeUndefined();
    for (const range of [{ start: 0 }, { start: 4 }, { start: 2, end: 5 }])
      expect(await read(own, at, range)).toBe(await read(other, at, range));
  });

  it.each(['./x', 'a/./b', 'a/../b', '../jobs/x', 'a//b', 'é %?#&+'])(
    'finds the key %s, as the SDK does',
    async (key) => {
      const etag = (await local().put(key, 'here')) ?? '';
      for (const input of inputs()) {
        expect(await input.head({ bucket: 'jobs', key })).toMatchObject({ bytes: 4, etag });
        expect(await read(input, { bucket: 'jobs', key, etag }, { start: 0 })).toBe('here');
      }
    },
  );

  it.each([
    ['another object', { bucket: 'jobs', key: 'in put.ndjson', etag: '"00000000000000000000000000000000"' }],
    ['none', { bucket: 'jobs', key: 'absent', etag: '"1"' }],
  ])('refuses an input of which there is %s', async (_, at) => {
    await local().put('in put.ndjson', '0123456789');
    for (const input of inputs())
      await expect(read(input, at, { start: 0 })).rejects.toMatchObject({
        code: 'InvalidInput',
        message: expect.stringContaining('as it was when the job began'),
      });
  });

  it('asks again where there is no answer, and frees the socket of a stream that nobody reads to its end', async () => {
    const body = Buffer.alloc(2_000_000, 'x');
    const etag = (await local().put('long', body)) ?? '';
    const [own] = inputs();
    disturbances.push({ kind: 'reset' }, { kind: 'refuse', status: 503 });
    // More than there are sockets.
    for (let n = 0; n < 60; n++) {
      for await (const piece of own.stream({ bucket: 'jobs', key: 'long', etag }, { start: 0 })) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
    }
    expect(disturbances).toEqual([]);
  });
});
