import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from './errors.ts';
import type { ObjectRecord } from './object-record.ts';
import type { Bucket, ObjectStore, Written } from './object-store.ts';
import { type XmlValue, xml } from './xml.ts';

/** One request to S3, with what its operations need. */
export interface S3Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly store: ObjectStore;
  /** Empty where the path names none. */
  readonly bucketName: string;
  /** Empty where the path names none. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Why the caller may not do this; undefined where it may. */
  readonly refusal: (action: string, resource: string) => string | undefined;
}

/** The bucket of a call. @throws S3Error `NoSuchBucket`. */
export function bucketOf(call: S3Call, name: string = call.bucketName): Bucket {
  const bucket = call.store.bucket(name);
  if (bucket === undefined) throw new S3Error('NoSuchBucket', { BucketName: name });
  return bucket;
}

/** @throws S3Error `AccessDenied` where the caller may not do this to the object. */
export function requireObjectAccess(
  call: S3Call,
  action: string,
  bucketName: string = call.bucketName,
  key: string = call.key,
): void {
  requireAccess(call, action, `arn:aws:s3:::${bucketName}/${key}`);
}

/** @throws S3Error `AccessDenied` where the caller may not do this to the bucket. */
export function requireBucketAccess(call: S3Call, action: string): void {
  requireAccess(call, action, `arn:aws:s3:::${call.bucketName}`);
}

/** @throws S3Error `AccessDenied` where the caller may not do this. */
export function requireAccess(call: S3Call, action: string, resource: string): void {
  const refusal = call.refusal(action, resource);
  if (refusal !== undefined) throw new S3Error('AccessDenied', {}, refusal);
}

/** What S3 says of an absent key: who may not list the bucket does not learn that it is absent. */
export function absentKey(call: S3Call, bucketName: string = call.bucketName, key: string = call.key): S3Error {
  const refusal = call.refusal('s3:ListBucket', `arn:aws:s3:::${bucketName}`);
  return refusal === undefined ? new S3Error('NoSuchKey', { Key: key }) : new S3Error('AccessDenied', {}, refusal);
}

/** The record that a write left. @throws S3Error for the condition that did not hold. */
export function writtenRecord(call: S3Call, written: Written): ObjectRecord {
  if (written.written) return written.record;
  if (written.reason === 'gone') throw new S3Error('NoSuchUpload');
  // S3 answers 404, not 412, to If-Match on a key that does not exist. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  if (written.reason === 'absent') throw new S3Error('NoSuchKey', { Key: call.key });
  throw new S3Error('PreconditionFailed', { Condition: written.reason === 'exists' ? 'If-None-Match' : 'If-Match' });
}

/** Ends a call with an XML document. */
export function answerXml(call: S3Call, root: string, content: { readonly [name: string]: XmlValue }): void {
  const body = Buffer.from(xml(root, content, true));
  call.response.setHeader('content-type', 'application/xml');
  call.response.setHeader('content-length', body.byteLength);
  call.response.end(body);
}

/** Ends a call without a body. */
export function answerEmpty(call: S3Call, status: number, headers: Readonly<Record<string, string>> = {}): void {
  // Only a 204 may come without a length.
  call.response.writeHead(status, status === 204 ? headers : { 'content-length': '0', ...headers });
  call.response.end();
}

/** Instants as S3's XML has them: whole seconds. */
export function isoSeconds(ms: number): string {
  return new Date(Math.floor(ms / 1_000) * 1_000).toISOString();
}
