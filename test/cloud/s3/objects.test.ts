import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EndpointFixture, failureOf, openFixture, sendRaw } from '../host/endpoint-fixture.ts';

let cloud: EndpointFixture;
beforeAll(async () => {
  cloud = await openFixture();
});
afterAll(() => cloud.close());

const Bucket = 'bucket';
const put = (
  Key: string,
  Body: Exclude<PutObjectCommandInput['Body'], undefined>,
  more: Partial<PutObjectCommandInput> = {},
) => cloud.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, more = {}): Promise<string> => {
  const { Body } = await cloud.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return (await Body?.transformToString()) ?? '';
};
const md5 = (text: string): string => `"${createHash('md5').update(text).digest('hex')}"`;
const putRaw = (key: string, headers: Record<string, string>, body: string | Uint8Array) =>
  sendRaw(cloud.endpoint.url, { method: 'PUT', path: `/bucket/${key}`, headers }, body);

describe('an object', () => {
  it('comes back with its body, type, metadata, and ETag', async () => {
    const { ETag } = await put('plain', 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentEncoding: 'gzip',
      Metadata: { segments: '1,2', __proto__x: 'y' },
    });
    expect(ETag).toBe(md5('hello'));
    const object = await cloud.s3.send(new GetObjectCommand({ Bucket, Key: 'plain' }));
    expect(object).toMatchObject({
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentEncoding: 'gzip',
      ContentLength: 5,
      ETag: md5('hello'),
      AcceptRanges: 'bytes',
      Metadata: { segments: '1,2', __proto__x: 'y' },
    });
    expect(await object.Body?.transformToString()).toBe('hello');
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'plain' }))).toMatchObject({
      ContentLength: 5,
      ETag: md5('hello'),
      Metadata: { segments: '1,2' },
    });
  });

  it('is empty where its body is, and takes binary/octet-stream as its type', async () => {
    await put('empty', Buffer.alloc(0));
    expect(await get('empty')).toBe('');
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'empty' }))).toMatchObject({
      ContentLength: 0,
      ContentType: 'application/octet-stream',
    });
    expect(await putRaw('untyped', { 'content-length': '0' }, '')).toMatchObject({ status: 200 });
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'untyped' }))).toMatchObject({
      ContentType: 'binary/octet-stream',
    });
  });

  it.each([
    'a',
    'a/b',
    'a/b/c',
    '/lead',
    'trail/',
    'a//b',
    'a/../b',
    '../../etc/passwd',
    '.',
    '..',
    'with space+plus%25',
    'q?x=1&y#z',
    'line\u2028separator',
    '\ud83d\ude00/emoji',
    'é',
    'e\u0301',
    'UPPER',
    'upper',
    '\ufffe',
    'tab\tnewline\ncr\r',
    '\u0001',
    `${'long/'.repeat(200)}end`,
    'x'.repeat(1_024),
    '<xml>&"\'',
    '__proto__',
    'nul\0',
    '*',
    '!',
    '()~',
  ])('keeps the key %j to itself', async (key) => {
    await put(key, `body of ${key}`);
    expect(await get(key)).toBe(`body of ${key}`);
    const { Contents } = await cloud.s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: key, MaxKeys: 1, EncodingType: 'url' }),
    );
    expect(decodeURIComponent((Contents?.[0]?.Key ?? '').replaceAll('+', ' '))).toBe(key);
  });

  it('refuses a key of more than 1,024 bytes', async () => {
    expect(await failureOf(put('é'.repeat(513), 'x'))).toEqual({ name: 'KeyTooLongError', status: 400 });
  });

  it('is absent as NoSuchKey, by HEAD as NotFound, and in an absent bucket as NoSuchBucket', async () => {
    expect(await failureOf(get('absent'))).toEqual({ name: 'NoSuchKey', status: 404 });
    expect(await failureOf(cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'absent' })))).toEqual({
      name: 'NotFound',
      status: 404,
    });
    expect(await failureOf(get('absent', { Bucket: 'elsewhere' }))).toEqual({ name: 'NoSuchBucket', status: 404 });
    expect(await failureOf(cloud.s3.send(new PutObjectCommand({ Bucket: 'elsewhere', Key: 'a', Body: 'x' })))).toEqual({
      name: 'NoSuchBucket',
      status: 404,
    });
  });

  it('is deleted once and again without complaint, alone or with others', async () => {
    await Promise.all(['gone/1', 'gone/2 & <3>', 'gone/\u2028', 'stays'].map((key) => put(key, 'x')));
    await cloud.s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/1' }));
    await cloud.s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/1' }));
    const Objects = ['gone/1', 'gone/2 & <3>', 'gone/\u2028'].map((Key) => ({ Key }));
    const { Deleted, Errors } = await cloud.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toEqual(Objects);
    expect(Errors).toBeUndefined();
    expect((await cloud.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'gone/' }))).KeyCount).toBe(0);
    expect(await get('stays')).toBe('x');
  });

  it('survives its server', async () => {
    await put('kept/é', 'kept', { Metadata: { a: 'b' } });
    const first = cloud;
    await first.endpoint.close();
    cloud = await openFixture({ stateDir: first.stateDir, port: first.endpoint.port });
    expect(cloud.endpoint.port).toBe(first.endpoint.port);
    expect(await get('kept/é')).toBe('kept');
    expect((await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'kept/é' }))).Metadata).toEqual({ a: 'b' });
  });
});

describe('a range', () => {
  const text = Array.from({ length: 100_000 }, (_, index) => index).join(' ');
  beforeAll(async () => {
    await put('small', '0123456789');
    await put('large', text);
  });

  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-100', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ['bytes=4-2', '0123456789', undefined],
    ['lines=1-2', '0123456789', undefined],
  ])('%s answers %j', async (Range, body, contentRange) => {
    const object = await cloud.s3.send(new GetObjectCommand({ Bucket, Key: 'small', Range }));
    expect(await object.Body?.transformToString()).toBe(body);
    expect(object.ContentRange).toBe(contentRange);
    expect(object.$metadata.httpStatusCode).toBe(contentRange === undefined ? 200 : 206);
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s of ten bytes is InvalidRange', async (Range) => {
    expect(await failureOf(get('small', { Range }))).toEqual({ name: 'InvalidRange', status: 416 });
  });

  it('of an empty object is InvalidRange', async () => {
    await put('none', Buffer.alloc(0));
    expect(await failureOf(get('none', { Range: 'bytes=0-' }))).toEqual({ name: 'InvalidRange', status: 416 });
  });

  it('of a large object is streamed from its place', async () => {
    expect(await get('large', { Range: 'bytes=300000-500000' })).toBe(text.slice(300_000, 500_001));
    expect(await get('large')).toBe(text);
  });

  it('answers only the version that If-Match names', async () => {
    const ETag = md5('0123456789');
    expect(await get('small', { Range: 'bytes=1-2', IfMatch: ETag })).toBe('12');
    expect(await failureOf(get('small', { Range: 'bytes=1-2', IfMatch: md5('other') }))).toEqual({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect((await failureOf(get('small', { IfNoneMatch: ETag }))).status).toBe(304);
    expect(await get('small', { IfNoneMatch: md5('other') })).toBe('0123456789');
  });
});

describe('a conditional write', () => {
  it('with If-None-Match creates once', async () => {
    await put('once', '1', { IfNoneMatch: '*' });
    expect(await failureOf(put('once', '2', { IfNoneMatch: '*' }))).toEqual({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect(await get('once')).toBe('1');
  });

  it('with If-Match replaces the version it names, and no other', async () => {
    const { ETag } = await put('control', '1');
    await put('control', '2', { IfMatch: ETag });
    expect(await failureOf(put('control', '3', { IfMatch: ETag }))).toEqual({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect(await get('control')).toBe('2');
  });

  it('with If-Match on an absent key is NoSuchKey', async () => {
    expect(await failureOf(put('never', '1', { IfMatch: md5('x') }))).toEqual({ name: 'NoSuchKey', status: 404 });
  });

  it('has one winner among concurrent writers', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => put('raced', `${index}`.repeat(100_000), { IfNoneMatch: '*' })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a body', () => {
  it('of unknown length arrives by aws-chunked with a trailing checksum', async () => {
    const text = 'chunk of a stream\n'.repeat(50_000);
    await put('streamed', Readable.from([text]), { ContentLength: text.length });
    expect(await get('streamed')).toBe(text);
    expect((await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }))).ContentEncoding).toBeUndefined();
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'is taken with the checksum %s',
    async (ChecksumAlgorithm) => {
      await put(`sum/${ChecksumAlgorithm}`, 'summed', { ChecksumAlgorithm });
      expect(await get(`sum/${ChecksumAlgorithm}`)).toBe('summed');
    },
  );

  const base64 = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('base64');
  it.each([
    ['Content-MD5', { 'content-md5': base64('md5', 'other') }],
    ['CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
    ['SHA-256', { 'x-amz-checksum-sha256': base64('sha256', 'other') }],
    ['the signed hash', { 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') }],
  ])('that does not match %s is BadDigest, and nothing is written', async (_, headers) => {
    const answered = await putRaw('digest', headers, 'body');
    expect(answered.status).toBe(400);
    expect(answered.body).toContain('<Code>BadDigest</Code>');
    expect(await failureOf(get('digest'))).toEqual({ name: 'NoSuchKey', status: 404 });
  });

  const sum = (text: string): string => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(crc32(text));
    return buffer.toString('base64');
  };
  const chunkedHeaders = (bytes: number) => ({
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'content-encoding': 'gzip,aws-chunked',
    'x-amz-decoded-content-length': String(bytes),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  });

  it('in chunks is decoded wherever the packets are cut', async () => {
    const encoded = `5;chunk-signature=abc\r\nhello\r\n1\r\n \r\nA\r\nworld\r\n0\r\n\r\n0\r\nx-amz-checksum-crc32:${sum('hello world\r\n0\r\n')}\r\n\r\n`;
    async function* pieces(size: number): AsyncGenerator<string> {
      for (let at = 0; at < encoded.length; at += size) yield encoded.slice(at, at + size);
    }
    for (const size of [1, 3, 7, 1_000]) {
      const answered = await fetch(`${cloud.endpoint.url}/bucket/cut`, {
        method: 'PUT',
        headers: chunkedHeaders(16),
        body: Readable.toWeb(Readable.from(pieces(size))),
        duplex: 'half',
      } as RequestInit);
      expect(await answered.text()).toBe('');
      expect(await get('cut')).toBe('hello world\r\n0\r\n');
    }
    expect((await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'cut' }))).ContentEncoding).toBe('gzip');
  });

  it.each([
    [
      'BadDigest',
      'its trailing checksum does not hold',
      `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${sum('other')}\r\n\r\n`,
    ],
    ['BadDigest', 'its trailing checksum is missing', '5\r\nhello\r\n0\r\n\r\n'],
    ['IncompleteBody', 'it ends inside a chunk', '5\r\nhel'],
    ['IncompleteBody', 'it is shorter than it said', `2\r\nhe\r\n0\r\nx-amz-checksum-crc32:${sum('he')}\r\n\r\n`],
    ['IncompleteBody', 'its framing is broken', 'hello'],
  ])('in chunks is %s when %s', async (code, _, encoded) => {
    const answered = await putRaw('broken', chunkedHeaders(5), encoded);
    expect(answered.status).toBe(400);
    expect(answered.body).toContain(`<Code>${code}</Code>`);
    expect(await failureOf(get('broken'))).toEqual({ name: 'NoSuchKey', status: 404 });
  });

  it('of more than 5 GiB is EntityTooLarge before it is sent', async () => {
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '5368709121',
    };
    expect((await putRaw('huge', headers, '')).body).toContain('<Code>EntityTooLarge</Code>');
  });

  it('waits for 100 Continue where the client asks for it', async () => {
    expect((await putRaw('expected', { expect: '100-continue', 'content-length': '4' }, 'body')).status).toBe(200);
    expect(await get('expected')).toBe('body');
  });
});

describe('metadata', () => {
  it('of more than 2 KB is MetadataTooLarge', async () => {
    await put('meta', 'x', { Metadata: { a: 'x'.repeat(2_047) } });
    expect(await failureOf(put('meta', 'x', { Metadata: { a: 'x'.repeat(2_048) } }))).toEqual({
      name: 'MetadataTooLarge',
      status: 400,
    });
  });
});

describe('a copy', () => {
  it('takes body and metadata along, or new metadata with REPLACE', async () => {
    await put('source/é 1', 'copied', { Metadata: { a: '1' }, ContentType: 'text/plain' });
    const CopySource = `bucket/${encodeURIComponent('source/é 1')}`;
    const copied = await cloud.s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(md5('copied'));
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).toMatchObject({
      Metadata: { a: '1' },
      ContentType: 'text/plain',
    });
    await cloud.s3.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }),
    );
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).toMatchObject({ Metadata: { b: '2' } });
    expect(await get('copy')).toBe('copied');
  });

  it('of another version than it names is PreconditionFailed', async () => {
    await put('versioned', 'x');
    const command = new CopyObjectCommand({
      Bucket,
      Key: 'copy2',
      CopySource: 'bucket/versioned',
      CopySourceIfMatch: md5('y'),
    });
    expect(await failureOf(cloud.s3.send(command))).toEqual({ name: 'PreconditionFailed', status: 412 });
  });
});
