import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allows } from '../../../src/cloud/host/policy.ts';
import { type EndpointFixture, failureOf, openFixture } from '../host/endpoint-fixture.ts';

const statements = [
  { Effect: 'Allow', Action: ['s3:GetObject*', 's3:PutObject'], Resource: 'arn:aws:s3:::bucket/mine/*' },
  { Effect: 'Allow', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::bucket/mine/1' },
];

let cloud: EndpointFixture;
let limited: S3Client;
beforeAll(async () => {
  cloud = await openFixture({
    authorize: ({ accessKeyId, action, resource }) =>
      accessKeyId === 'PERSON' || (accessKeyId === 'FUNCTION' && allows(statements, action, resource)),
  });
  limited = new S3Client({
    ...cloud.settings,
    credentials: { accessKeyId: 'FUNCTION', secretAccessKey: 'x' },
    forcePathStyle: true,
  });
});
afterAll(async () => {
  limited.destroy();
  await cloud.close();
});

describe('a list', () => {
  const Bucket = 'lists';
  const keys = ['a', 'a!', 'a/1', 'a/2', 'a/b/3', 'a0', 'b/1', '\ue000', '\u{10000}', 'z<&>\r'];
  beforeAll(async () => {
    cloud.endpoint.createBucket(Bucket);
    await Promise.all(keys.map((Key) => cloud.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
  });
  const list = async (more: object = {}) => {
    const answer = await cloud.s3.send(new ListObjectsV2Command({ Bucket, ...more }));
    return {
      keys: answer.Contents?.map(({ Key }) => Key) ?? [],
      prefixes: answer.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
      answer,
    };
  };

  it('sorts by bytes of UTF-8, not by UTF-16 units', async () => {
    const { keys: listed, answer } = await list();
    expect(listed).toEqual(['a', 'a!', 'a/1', 'a/2', 'a/b/3', 'a0', 'b/1', 'z<&>\r', '\ue000', '\u{10000}']);
    expect(answer).toMatchObject({ KeyCount: 10, MaxKeys: 1_000, IsTruncated: false, Name: Bucket });
    expect(answer.Contents?.[2]).toMatchObject({
      Size: 3,
      StorageClass: 'STANDARD',
      ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      LastModified: expect.any(Date),
    });
  });

  it.each([
    ['a prefix', { Prefix: 'a/' }, ['a/1', 'a/2', 'a/b/3'], []],
    ['a prefix inside a name', { Prefix: 'a/b' }, ['a/b/3'], []],
    ['a prefix that nothing has', { Prefix: 'c' }, [], []],
    ['a delimiter', { Delimiter: '/' }, ['a', 'a!', 'a0', 'z<&>\r', '\ue000', '\u{10000}'], ['a/', 'b/']],
    ['both', { Prefix: 'a/', Delimiter: '/' }, ['a/1', 'a/2'], ['a/b/']],
    ['start-after', { StartAfter: 'a/2' }, ['a/b/3', 'a0', 'b/1', 'z<&>\r', '\ue000', '\u{10000}'], []],
    ['start-after a key that is absent', { StartAfter: 'a/25', Prefix: 'a' }, ['a/b/3', 'a0'], []],
    ['max-keys 0', { MaxKeys: 0 }, [], []],
  ])('with %s', async (_, more, expectedKeys, expectedPrefixes) => {
    const { keys: listed, prefixes } = await list(more);
    expect(listed).toEqual(expectedKeys);
    expect(prefixes).toEqual(expectedPrefixes);
  });

  it.each([1, 2, 3])('comes whole in pages of %i', async (pageSize) => {
    const listed: Array<string | undefined> = [];
    for await (const page of paginateListObjectsV2({ client: cloud.s3, pageSize }, { Bucket, Delimiter: '/' })) {
      expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
      listed.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      );
    }
    expect(listed.sort()).toEqual(['a', 'a!', 'a/', 'a0', 'b/', 'z<&>\r', '\ue000', '\u{10000}'].sort());
  });

  it('goes on behind its token when keys came and went meanwhile', async () => {
    const { answer } = await list({ Prefix: 'a', MaxKeys: 2 });
    await cloud.s3.send(new PutObjectCommand({ Bucket, Key: 'a"', Body: 'x' }));
    const { keys: listed } = await list({ Prefix: 'a', ContinuationToken: answer.NextContinuationToken });
    expect(listed).toEqual(['a"', 'a/1', 'a/2', 'a/b/3', 'a0']);
    await cloud.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a"' }] } }));
  });
});

describe('buckets', () => {
  it('are made once and again, found, and listed', async () => {
    await cloud.s3.send(new CreateBucketCommand({ Bucket: 'made' }));
    await cloud.s3.send(new CreateBucketCommand({ Bucket: 'made' }));
    await cloud.s3.send(new HeadBucketCommand({ Bucket: 'made' }));
    expect((await cloud.s3.send(new GetBucketLocationCommand({ Bucket: 'made' }))).LocationConstraint).toBeUndefined();
    expect((await cloud.s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain('made');
    expect(await failureOf(cloud.s3.send(new HeadBucketCommand({ Bucket: 'absent' })))).toMatchObject({ status: 404 });
    expect(await failureOf(cloud.s3.send(new CreateBucketCommand({ Bucket: 'Not_A_Bucket' })))).toEqual({
      name: 'InvalidBucketName',
      status: 400,
    });
  });
});

describe('access', () => {
  beforeAll(async () => {
    for (const Key of ['mine/1', 'mine/2', 'other'])
      await cloud.s3.send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'x' }));
  });

  it('is what the statements allow', async () => {
    await limited.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'mine/new', Body: 'x' }));
    await limited.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'mine/1' }));
    const denied = { name: 'AccessDenied', status: 403 };
    expect(await failureOf(limited.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'other' })))).toEqual(denied);
    expect(await failureOf(limited.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'other', Body: 'x' })))).toEqual(
      denied,
    );
    expect(await failureOf(limited.send(new ListObjectsV2Command({ Bucket: 'bucket', Prefix: 'mine/' })))).toEqual(
      denied,
    );
    expect(await failureOf(limited.send(new HeadObjectCommand({ Bucket: 'bucket', Key: 'other' })))).toMatchObject({
      status: 403,
    });
  });

  it('hides an absent key from who may not list the bucket', async () => {
    expect(await failureOf(limited.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'mine/absent' })))).toEqual({
      name: 'AccessDenied',
      status: 403,
    });
    expect(
      await failureOf(limited.send(new HeadObjectCommand({ Bucket: 'bucket', Key: 'mine/absent' }))),
    ).toMatchObject({ status: 403 });
  });

  it('refuses single keys of a DeleteObjects', async () => {
    const { Deleted, Errors } = await limited.send(
      new DeleteObjectsCommand({ Bucket: 'bucket', Delete: { Objects: [{ Key: 'mine/1' }, { Key: 'mine/2' }] } }),
    );
    expect(Deleted).toEqual([{ Key: 'mine/1' }]);
    expect(Errors).toMatchObject([{ Key: 'mine/2', Code: 'AccessDenied' }]);
  });

  it('refuses who has no credentials', async () => {
    const answer = await fetch(`${cloud.endpoint.url}/bucket/other`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>AccessDenied</Code>');
  });
});

it('says of an API it does not have that it is NotImplemented', async () => {
  expect(await failureOf(cloud.s3.send(new GetObjectAclCommand({ Bucket: 'bucket', Key: 'other' })))).toEqual({
    name: 'NotImplemented',
    status: 501,
  });
});
