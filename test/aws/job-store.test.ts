import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3InputReader } from '../../src/aws/input-reader.ts';
import { JobStore } from '../../src/aws/job-store.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { type EndpointFixture, openFixture } from '../cloud/host/endpoint-fixture.ts';

let cloud: EndpointFixture;
let store: JobStore;
let input: S3InputReader;

beforeAll(async () => {
  cloud = await openFixture();
  store = new JobStore(cloud.s3, 'bucket');
  input = new S3InputReader(cloud.s3);
});
afterAll(() => cloud.close());

const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('JobStore', () => {
  it('gives an object back with its metadata, by GET and by HEAD', async () => {
    const etag = await store.put('a/1', 'é', { metadata: { writer: 'w', digest: '1,2;3:4' } });
    const found = await store.get('a/1');
    expect(text(found?.body)).toBe('é');
    expect(found).toMatchObject({ etag, metadata: { writer: 'w', digest: '1,2;3:4' } });
    expect(await store.head('a/1')).toEqual({ bytes: 2, etag, metadata: { writer: 'w', digest: '1,2;3:4' } });
  });

  it.each(['', new Uint8Array()])('keeps an empty body', async (body) => {
    await store.put('empty', body);
    expect((await store.get('empty'))?.body).toHaveLength(0);
  });

  it('gives undefined where no object is', async () => {
    expect(await store.get('none')).toBeUndefined();
    expect(await store.head('none')).toBeUndefined();
  });

  it('rejects when there is no bucket, which is no absent object', async () => {
    await expect(new JobStore(cloud.s3, 'other').get('none')).rejects.toThrow();
  });

  it('writes only where nothing is, and lets one of many win', async () => {
    const writes = Array.from({ length: 8 }, (_, n) => store.put('once', `${n}`, { condition: { ifAbsent: true } }));
    const won = (await Promise.all(writes)).filter((etag) => etag !== undefined);
    expect(won).toHaveLength(1);
    expect((await store.head('once'))?.etag).toBe(won[0]);
  });

  it('replaces only the version that was read', async () => {
    const first = (await store.put('versioned', '1')) ?? '';
    const second = await store.put('versioned', '2', { condition: { ifMatch: first } });
    expect(second).toBeDefined();
    expect(await store.put('versioned', '3', { condition: { ifMatch: first } })).toBeUndefined();
    expect(await store.put('never', '1', { condition: { ifMatch: first } })).toBeUndefined();
    expect(text((await store.get('versioned'))?.body)).toBe('2');
  });

  it('lists keys in order, from a key on, up to a limit', async () => {
    const keys = ['many/0', 'many/1', 'many/10', 'many/2'];
    await Promise.all(keys.toReversed().map((key) => store.put(key, '')));
    expect(await store.list('many/')).toEqual(keys);
    expect(await store.list('many/', { startAfter: 'many/1' })).toEqual(keys.slice(2));
    expect(await store.list('many/', { limit: 3 })).toEqual(keys.slice(0, 3));
    expect(await store.list('many/', { startAfter: 'many/~' })).toEqual([]);
  });

  it('lists all keys of a folder that S3 answers page by page', async () => {
    const pages = await withServer(
      (url) => {
        const page = Number(url.searchParams.get('continuation-token') ?? 0);
        const next = page < 2 ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : '';
        const body = `<ListBucketResult><IsTruncated>${page < 2}</IsTruncated>${next}<Contents><Key>k${page}</Key></Contents></ListBucketResult>`;
        return { status: 200, body };
      },
      (other) => other.list('k'),
    );
    expect(pages).toEqual(['k0', 'k1', 'k2']);
  });

  it('tries a conditional write again that another one was in the way of', async () => {
    let writes = 0;
    const etag = await withServer(
      () =>
        ++writes < 3
          ? { status: 409, body: '<Error><Code>ConditionalRequestConflict</Code></Error>' }
          : { status: 200, body: '' },
      (other) => other.put('k', 'v', { condition: { ifAbsent: true } }),
    );
    expect(etag).toBe('"e"');
    expect(writes).toBe(3);
  });
});

/** Uses a store whose S3 answers as the test says. */
async function withServer<Value>(
  answer: (url: URL) => { readonly status: number; readonly body: string },
  use: (store: JobStore) => Promise<Value>,
): Promise<Value> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { status, body } = answer(new URL(request.url ?? '/', 'http://s3'));
      response.writeHead(status, { 'content-type': 'application/xml', etag: '"e"' }).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port of TCP has such an address.
  const { port } = server.address() as AddressInfo;
  const client = s3Client({ ...cloud.settings, endpoint: `http://127.0.0.1:${port}` });
  try {
    return await use(new JobStore(client, 'bucket'));
  } finally {
    client.destroy();
    server.close();
  }
}

describe('S3InputReader', () => {
  const at = async (body: string) => {
    const etag = (await store.put('in put/é.ndjson', body)) ?? '';
    return { bucket: 'bucket', key: 'in put/é.ndjson', etag };
  };

  it('streams a range with both ends in it, or to the end', async () => {
    const source = await at('0123456789');
    expect(await collect(input.stream(source, { start: 2, end: 4 }))).toBe('234');
    expect(await collect(input.stream(source, { start: 7 }))).toBe('789');
    expect(await input.head(source)).toMatchObject({ bytes: 10, etag: source.etag });
  });

  it('refuses an object that has changed or is gone, as a problem of the input', async () => {
    const source = await at('1');
    await store.put(source.key, '2');
    for (const wrong of [source, { ...source, key: 'gone' }]) {
      await expect(collect(input.stream(wrong, { start: 0 }))).rejects.toMatchObject({ code: 'InvalidInput' });
    }
  });

  it('frees its sockets when readers stop early', async () => {
    const source = await at('x'.repeat(2_000_000));
    const client = s3Client(cloud.settings);
    // More than there are sockets: one that is not freed stops the rest.
    for (let n = 0; n < 60; n++) {
      for await (const piece of new S3InputReader(client).stream(source, { start: 0 })) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
    }
    client.destroy();
  });
});
