import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EndpointFixture, failureOf, openFixture } from '../host/endpoint-fixture.ts';

let cloud: EndpointFixture;
beforeAll(async () => {
  cloud = await openFixture();
});
afterAll(() => cloud.close());

const Bucket = 'bucket';
const fiveMiB = Buffer.alloc(5_242_880, 'a');
const begin = async (Key: string): Promise<string> => {
  const { UploadId } = await cloud.s3.send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      ChecksumAlgorithm: 'CRC32',
    }),
  );
  return UploadId ?? '';
};
const sendPart = async (
  target: { Key: string; UploadId: string },
  PartNumber: number,
  Body: Uint8Array,
): Promise<CompletedPart> => {
  const { ETag, ChecksumCRC32 } = await cloud.s3.send(new UploadPartCommand({ Bucket, ...target, PartNumber, Body }));
  return { PartNumber, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
};
const complete = (target: { Key: string; UploadId: string }, Parts: CompletedPart[], more = {}) =>
  cloud.s3.send(new CompleteMultipartUploadCommand({ Bucket, ...target, MultipartUpload: { Parts }, ...more }));
const sizeOf = async (Key: string) => (await cloud.s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength;

it('refuses checksums that the upload was not begun with, and parts without those that it was begun with', async () => {
  const { UploadId: plain = '' } = await cloud.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'plain' }));
  await expect(sendPart({ Key: 'plain', UploadId: plain }, 1, fiveMiB)).rejects.toThrow(
    'expected checksum Type: null, actual checksum Type: crc32',
  );
  const target = { Key: 'summed', UploadId: await begin('summed') };
  const { PartNumber, ETag } = await sendPart(target, 1, fiveMiB);
  await expect(complete(target, [{ PartNumber, ETag }])).rejects.toThrow('missing for part 1');
});

it('joins parts that came in any order, under the ETag of a multipart object', async () => {
  const target = { Key: 'joined', UploadId: await begin('joined') };
  const second = await sendPart(target, 7, Buffer.from('end'));
  const first = await sendPart(target, 2, fiveMiB);
  expect((await cloud.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'joined' }))).KeyCount).toBe(0);
  const { Parts } = await cloud.s3.send(new ListPartsCommand({ Bucket, ...target }));
  expect(Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [2, 5_242_880],
    [7, 3],
  ]);
  const { ETag } = await complete(target, [first, second]);
  const digests = [fiveMiB, Buffer.from('end')].map((part) => createHash('md5').update(part).digest());
  expect(ETag).toBe(`"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-2"`);
  const object = await cloud.s3.send(new GetObjectCommand({ Bucket, Key: 'joined', Range: 'bytes=5242878-' }));
  expect(await object.Body?.transformToString()).toBe('aaend');
  expect(object).toMatchObject({ ETag, ContentType: 'text/plain', Metadata: { a: '1' } });
  expect(await failureOf(complete(target, [first, second]))).toEqual({ name: 'NoSuchUpload', status: 404 });
});

it('takes the last of a part that was sent twice', async () => {
  const target = { Key: 'twice', UploadId: await begin('twice') };
  const early = await sendPart(target, 1, Buffer.from('early'));
  const late = await sendPart(target, 1, Buffer.from('late'));
  expect(await failureOf(complete(target, [early]))).toEqual({ name: 'InvalidPart', status: 400 });
  await complete(target, [late]);
  expect(await sizeOf('twice')).toBe(4);
});

it('refuses parts out of order, unknown, too small, or none at all, and keeps the upload', async () => {
  const target = { Key: 'refused', UploadId: await begin('refused') };
  const small = await sendPart(target, 1, Buffer.from('small'));
  const last = await sendPart(target, 2, Buffer.from('last'));
  expect(await failureOf(complete(target, [last, small]))).toEqual({ name: 'InvalidPartOrder', status: 400 });
  expect(await failureOf(complete(target, [small, last]))).toEqual({ name: 'EntityTooSmall', status: 400 });
  expect(await failureOf(complete(target, [{ PartNumber: 3, ETag: 'x' }]))).toEqual({
    name: 'InvalidPart',
    status: 400,
  });
  expect(await failureOf(complete(target, []))).toEqual({ name: 'MalformedXML', status: 400 });
  await complete(target, [last]);
  expect(await sizeOf('refused')).toBe(4);
});

it('completes under a condition, and keeps the upload where that does not hold', async () => {
  const target = { Key: 'conditional', UploadId: await begin('conditional') };
  const part = await sendPart(target, 1, Buffer.from('part'));
  await cloud.s3.send(new PutObjectCommand({ Bucket, Key: 'conditional', Body: 'there' }));
  expect(await failureOf(complete(target, [part], { IfNoneMatch: '*' }))).toEqual({
    name: 'PreconditionFailed',
    status: 412,
  });
  const { ETag } = await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: 'conditional' }));
  await complete(target, [part], { IfMatch: ETag });
  expect(await sizeOf('conditional')).toBe(4);
});

it('has one winner among concurrent uploads that may only create', async () => {
  const uploads = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const target = { Key: 'raced', UploadId: await begin('raced') };
      return { target, part: await sendPart(target, 1, Buffer.alloc(100_000 + index)) };
    }),
  );
  const answers = await Promise.allSettled(
    uploads.map(({ target, part }) => complete(target, [part], { IfNoneMatch: '*' })),
  );
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await sizeOf('raced')).toBe(100_000 + answers.findIndex(({ status }) => status === 'fulfilled'));
});

it('forgets an aborted upload', async () => {
  const target = { Key: 'aborted', UploadId: await begin('aborted') };
  const part = await sendPart(target, 1, Buffer.from('part'));
  await cloud.s3.send(new AbortMultipartUploadCommand({ Bucket, ...target }));
  const gone = { name: 'NoSuchUpload', status: 404 };
  expect(await failureOf(sendPart(target, 2, Buffer.from('late')))).toEqual(gone);
  expect(await failureOf(complete(target, [part]))).toEqual(gone);
  expect(
    await failureOf(cloud.s3.send(new ListPartsCommand({ Bucket, Key: 'aborted', UploadId: '../../etc' }))),
  ).toEqual(gone);
});

it('stores what lib-storage uploads from a stream of unknown length', async () => {
  const line = `${'x'.repeat(99)}\n`;
  async function* lines(): AsyncGenerator<Buffer> {
    for (let index = 0; index < 120; index += 1) yield Buffer.from(line.repeat(1_000));
  }
  await new Upload({
    client: cloud.s3,
    params: { Bucket, Key: 'uploaded', Body: Readable.from(lines(), { objectMode: false }), IfNoneMatch: '*' },
  }).done();
  const { Body, ContentLength, ETag } = await cloud.s3.send(new GetObjectCommand({ Bucket, Key: 'uploaded' }));
  expect(ContentLength).toBe(12_000_000);
  expect(ETag).toMatch(/-3"$/);
  expect(await Body?.transformToString()).toBe(line.repeat(120_000));
});
