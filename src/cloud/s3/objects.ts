import type { IncomingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { openBody } from './body.ts';
import {
  absentKey,
  answerEmpty,
  answerXml,
  bucketOf,
  isoSeconds,
  requireObjectAccess,
  type S3Call,
  writtenRecord,
} from './call.ts';
import { checkRead, parseRange, writeCondition } from './conditions.ts';
import { S3Error } from './errors.ts';
import type { OpenObject } from './object-file.ts';
import type { ObjectRecord } from './object-record.ts';

/** Headers that are stored with an object and answered with it. */
const storedHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];
/** Names and values of a user's metadata, together. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const maxMetadataBytes = 2_048;

/** GetObject and HeadObject. */
export async function getObject(call: S3Call): Promise<void> {
  const { request, response } = call;
  requireObjectAccess(call, 's3:GetObject');
  const object = bucketOf(call).open(call.key);
  if (object === undefined) throw absentKey(call);
  try {
    const { record } = object;
    checkRead(record, request.headers);
    const range = parseRange(request.headers.range, record.bytes);
    const { start, end } = range ?? { start: 0, end: record.bytes - 1 };
    response.statusCode = range === undefined ? 200 : 206;
    setRecordHeaders(call, record);
    response.setHeader('content-length', end - start + 1);
    if (range !== undefined) response.setHeader('content-range', `bytes ${start}-${end}/${record.bytes}`);
    if (request.method === 'HEAD' || record.bytes === 0) {
      response.end();
      return;
    }
    const body = object.read(start, end);
    if (body instanceof Uint8Array) response.end(body);
    else await pipeline(body, response);
  } finally {
    object.close();
  }
}

/** PutObject. */
export async function putObject(call: S3Call): Promise<void> {
  requireObjectAccess(call, 's3:PutObject');
  const condition = writeCondition(call.request.headers);
  // S3 asks for both permissions here, since the answer tells what the object is.
  if (condition.ifMatch !== undefined) requireObjectAccess(call, 's3:GetObject');
  const body = openBody(call.request);
  const bucket = bucketOf(call);
  const record = writtenRecord(
    call,
    await bucket.put(call.key, body.chunks, { ...described(call.request.headers), condition }),
  );
  answerEmpty(call, 200, { etag: `"${record.etag}"`, ...body.verified });
}

/** CopyObject. */
export async function copyObject(call: S3Call): Promise<void> {
  const { headers } = call.request;
  requireObjectAccess(call, 's3:PutObject');
  const source = openCopySource(call);
  try {
    const replaces = headers['x-amz-metadata-directive'] === 'REPLACE';
    const description = replaces
      ? described(headers)
      : { headers: source.record.headers, metadata: source.record.metadata };
    const condition = writeCondition(headers);
    const record = writtenRecord(
      call,
      await bucketOf(call).put(call.key, wholeBody(source), { ...description, condition }),
    );
    answerXml(call, 'CopyObjectResult', { LastModified: isoSeconds(record.modifiedMs), ETag: `"${record.etag}"` });
  } finally {
    source.close();
  }
}

/** DeleteObject: an absent key is a success, as on S3. */
export function deleteObject(call: S3Call): void {
  requireObjectAccess(call, 's3:DeleteObject');
  bucketOf(call).remove(call.key);
  answerEmpty(call, 204);
}

/** Headers and metadata that a request wants to be stored. @throws S3Error `MetadataTooLarge`. */
export function described(given: IncomingHttpHeaders): Pick<ObjectRecord, 'headers' | 'metadata'> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of storedHeaders) {
    const value = name === 'content-encoding' ? withoutChunking(given[name]) : given[name]?.toString();
    if (value !== undefined && value !== '') headers[name] = value;
  }
  const metadata: Record<string, string> = Object.create(null);
  let bytes = 0;
  for (const [name, value] of Object.entries(given)) {
    if (!name.startsWith('x-amz-meta-')) continue;
    metadata[name.slice('x-amz-meta-'.length)] = String(value);
    bytes += name.length - 'x-amz-meta-'.length + String(value).length;
  }
  if (bytes > maxMetadataBytes)
    throw new S3Error('MetadataTooLarge', { Size: String(bytes), MaxSizeAllowed: String(maxMetadataBytes) });
  return { headers, metadata };
}

function setRecordHeaders({ response }: S3Call, record: ObjectRecord): void {
  for (const [name, value] of Object.entries(record.headers)) response.setHeader(name, value);
  for (const [name, value] of Object.entries(record.metadata)) response.setHeader(`x-amz-meta-${name}`, value);
  response.setHeader('etag', `"${record.etag}"`);
  response.setHeader('last-modified', new Date(record.modifiedMs).toUTCString());
  response.setHeader('accept-ranges', 'bytes');
}

/** `aws-chunked` says how the body travelled, not what the object is. */
function withoutChunking(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked')
    .join(',');
}

function openCopySource(call: S3Call): OpenObject {
  const { headers } = call.request;
  const [, bucketName = '', encoded = ''] =
    /^\/?([^/]+)\/([^?]+)/.exec(headers['x-amz-copy-source']?.toString() ?? '') ?? [];
  if (encoded === '')
    throw new S3Error(
      'InvalidArgument',
      {},
      'Copy Source must mention the source bucket and key: /sourcebucket/sourcekey',
    );
  const key = decodeURIComponent(encoded);
  requireObjectAccess(call, 's3:GetObject', bucketName, key);
  const object = bucketOf(call, bucketName).open(key);
  if (object === undefined) throw absentKey(call, bucketName, key);
  try {
    checkRead(object.record, headers, 'x-amz-copy-source-');
    return object;
  } catch (error) {
    object.close();
    throw error;
  }
}

async function* wholeBody(object: OpenObject): AsyncGenerator<Uint8Array> {
  if (object.record.bytes === 0) return;
  const body = object.read(0, object.record.bytes - 1);
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}
