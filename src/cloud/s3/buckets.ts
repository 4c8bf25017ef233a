import { elements, elementTexts } from '../../aws/xml.ts';
import { openBody, readText } from './body.ts';
import {
  answerEmpty,
  answerXml,
  bucketOf,
  isoSeconds,
  requireAccess,
  requireBucketAccess,
  type S3Call,
} from './call.ts';
import { S3Error } from './errors.ts';
import { toBinaryKey } from './object-path.ts';
import { isBucketName, type Listed } from './object-store.ts';

/** A list answers at most this many lines. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const maxKeys = 1_000;
/** 1,000 keys of 1,024 bytes, each byte written as an entity, and their elements. */
const maxDeleteBytes = 8_388_608;

/** ListBuckets. */
export function listBuckets(call: S3Call): void {
  requireAccess(call, 's3:ListAllMyBuckets', 'arn:aws:s3:::*');
  const buckets = call.store
    .buckets()
    .map(({ name, createdMs }) => ({ Name: name, CreationDate: isoSeconds(createdMs) }));
  answerXml(call, 'ListAllMyBucketsResult', {
    Owner: { ID: 'embedded', DisplayName: 'embedded' },
    Buckets: { Bucket: buckets },
  });
}

/** CreateBucket: making one's own bucket again is a success, as in us-east-1. */
export async function createBucket(call: S3Call): Promise<void> {
  requireBucketAccess(call, 's3:CreateBucket');
  if (!isBucketName(call.bucketName)) throw new S3Error('InvalidBucketName', { BucketName: call.bucketName });
  await readText(openBody(call.request), maxDeleteBytes);
  call.store.createBucket(call.bucketName);
  answerEmpty(call, 200, { location: `/${call.bucketName}` });
}

/** HeadBucket. */
export function headBucket(call: S3Call): void {
  requireBucketAccess(call, 's3:ListBucket');
  bucketOf(call);
  answerEmpty(call, 200, { 'x-amz-bucket-region': 'us-east-1' });
}

/** GetBucketLocation: us-east-1 is written as nothing. */
export function getBucketLocation(call: S3Call): void {
  requireBucketAccess(call, 's3:GetBucketLocation');
  bucketOf(call);
  answerXml(call, 'LocationConstraint', {});
}

/** ListObjectsV2. */
export function listObjects(call: S3Call): void {
  requireBucketAccess(call, 's3:ListBucket');
  const bucket = bucketOf(call);
  const { query } = call;
  const [prefix, delimiter, startAfter] = ['prefix', 'delimiter', 'start-after'].map(
    (name) => query.get(name) ?? '',
  ) as [string, string, string];
  const token = query.get('continuation-token');
  const max = Number(query.get('max-keys') ?? maxKeys);
  if (!Number.isInteger(max) || max < 0) throw new S3Error('InvalidArgument', { ArgumentName: 'maxKeys' });
  if (token === '') throw new S3Error('InvalidArgument', {}, 'The continuation token provided is incorrect');
  const from =
    token === null
      ? startAfter === ''
        ? ''
        : `${toBinaryKey(startAfter)}\0`
      : Buffer.from(token, 'base64url').toString('latin1');
  const { items, next } = bucket.list({ prefix, delimiter, from, max: Math.min(max, maxKeys) });
  const encode = query.get('encoding-type') === 'url' ? encodeKey : (text: string) => text;
  answerXml(call, 'ListBucketResult', {
    Name: call.bucketName,
    Prefix: encode(prefix),
    ...(delimiter === '' ? {} : { Delimiter: encode(delimiter) }),
    ...(startAfter === '' ? {} : { StartAfter: encode(startAfter) }),
    ...(token === null ? {} : { ContinuationToken: token }),
    MaxKeys: max,
    ...(query.get('encoding-type') === 'url' ? { EncodingType: 'url' } : {}),
    KeyCount: items.length,
    IsTruncated: next !== undefined,
    NextContinuationToken: next === undefined ? undefined : Buffer.from(next, 'latin1').toString('base64url'),
    Contents: items.flatMap((item) => (item.kind === 'object' ? [contents(item, encode)] : [])),
    CommonPrefixes: items.flatMap((item) => (item.kind === 'prefix' ? [{ Prefix: encode(item.prefix) }] : [])),
  });
}

/** DeleteObjects: a refused key is told in the answer, the others go. */
export async function deleteObjects(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const document = await readText(openBody(call.request), maxDeleteBytes);
  const keys = elements(document, 'Object').map((object) => elementTexts(object, 'Key')[0]);
  if (keys.length === 0 || keys.length > maxKeys) throw new S3Error('MalformedXML');
  const isQuiet = elementTexts(document, 'Quiet')[0] === 'true';
  const deleted: { Key: string }[] = [];
  const failed: { Key: string; Code: string; Message: string }[] = [];
  for (const key of keys) {
    if (key === undefined || key === '') throw new S3Error('MalformedXML');
    const refusal = call.refusal('s3:DeleteObject', `arn:aws:s3:::${call.bucketName}/${key}`);
    if (refusal !== undefined) {
      failed.push({ Key: key, Code: 'AccessDenied', Message: refusal });
      continue;
    }
    bucket.remove(key);
    deleted.push({ Key: key });
  }
  answerXml(call, 'DeleteResult', { Deleted: isQuiet ? [] : deleted, Error: failed });
}

function contents({ key, record }: Listed & { kind: 'object' }, encode: (text: string) => string) {
  return {
    Key: encode(key),
    LastModified: isoSeconds(record.modifiedMs),
    ETag: `"${record.etag}"`,
    Size: record.bytes,
    StorageClass: 'STANDARD',
  };
}

/** As S3 writes keys under `encoding-type=url`: like a form's value, but with slashes as they are. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/%2F/g, '/')
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
