import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, accessKeyOf, refusalOf } from '../host/access.ts';
import { createBucket, deleteObjects, getBucketLocation, headBucket, listBuckets, listObjects } from './buckets.ts';
import type { S3Call } from './call.ts';
import { errorXml, S3Error } from './errors.ts';
import { abortUpload, completeUpload, createUpload, listParts, uploadPart } from './multipart.ts';
import { DamagedObject } from './object-record.ts';
import type { ObjectStore } from './object-store.ts';
import { copyObject, deleteObject, getObject, putObject } from './objects.ts';

/** A key is at most this long in UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const maxKeyBytes = 1_024;

/** What S3's answers rest on. */
export interface S3Options {
  readonly store: ObjectStore;
  readonly authorize: Authorize;
}

/** Answers one request as S3 does, path style. Rejects only when the connection broke. */
export async function answerS3(request: IncomingMessage, response: ServerResponse, options: S3Options): Promise<void> {
  const requestId = randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase();
  response.setHeader('x-amz-request-id', requestId);
  try {
    await operationOf(parseCall(request, response, options));
  } catch (error) {
    if (request.errored || response.destroyed || response.headersSent) {
      // Half a body cannot be taken back: a closed connection says that it is not whole.
      response.destroy();
      return;
    }
    answerError(request, response, { refusal: refusalFor(error), requestId });
  }
}

function refusalFor(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  // To ask again would help nobody.
  if (error instanceof DamagedObject) return new S3Error('InvalidObjectState', {}, error.message);
  return new S3Error('InternalError', {}, String(error));
}

function parseCall(request: IncomingMessage, response: ServerResponse, { store, authorize }: S3Options): S3Call {
  const url = request.url ?? '/';
  const queryAt = url.indexOf('?');
  const path = (queryAt === -1 ? url : url.slice(0, queryAt)).slice(1);
  const slash = path.indexOf('/');
  const bucketName = decodePath(slash === -1 ? path : path.slice(0, slash));
  const key = slash === -1 ? '' : decodePath(path.slice(slash + 1));
  if (Buffer.byteLength(key) > maxKeyBytes)
    throw new S3Error('KeyTooLongError', { MaxSizeAllowed: String(maxKeyBytes) });
  const accessKeyId = accessKeyOf(request);
  return {
    request,
    response,
    store,
    bucketName,
    key,
    query: new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt + 1)),
    refusal: (action, resource) => refusalOf(authorize, { accessKeyId, action, resource }),
  };
}

function operationOf(call: S3Call): Promise<void> | void {
  const { request, query, bucketName, key } = call;
  const method = request.method ?? '';
  if (bucketName === '') return only(method === 'GET', listBuckets, call);
  if (key === '') return bucketOperation(call, method);
  const inUpload = query.has('uploadId');
  switch (method) {
    case 'GET':
      if (inUpload) return listParts(call);
      return only(!hasSubresource(query), getObject, call);
    case 'HEAD':
      return getObject(call);
    case 'PUT':
      if (inUpload) return only(request.headers['x-amz-copy-source'] === undefined, uploadPart, call);
      if (request.headers['x-amz-copy-source'] !== undefined) return copyObject(call);
      return only(!hasSubresource(query), putObject, call);
    case 'POST':
      if (query.has('uploads')) return createUpload(call);
      return only(inUpload, completeUpload, call);
    case 'DELETE':
      if (inUpload) return abortUpload(call);
      return only(!hasSubresource(query), deleteObject, call);
    default:
      throw new S3Error('MethodNotAllowed');
  }
}

function bucketOperation(call: S3Call, method: string): Promise<void> | void {
  const { query } = call;
  if (method === 'GET' && query.get('list-type') === '2') return listObjects(call);
  if (method === 'GET' && query.has('location')) return getBucketLocation(call);
  if (method === 'HEAD') return headBucket(call);
  if (method === 'PUT') return only(!hasSubresource(query), createBucket, call);
  return only(method === 'POST' && query.has('delete'), deleteObjects, call);
}

function only(isKnown: boolean, operation: (call: S3Call) => Promise<void> | void, call: S3Call): Promise<void> | void {
  if (!isKnown) throw new S3Error('NotImplemented');
  return operation(call);
}

/** Whether a request is for another API than its method and path alone name: `?acl`, `?tagging`, `?versions`, … */
function hasSubresource(query: URLSearchParams): boolean {
  return [
    'acl',
    'tagging',
    'versioning',
    'versions',
    'versionId',
    'policy',
    'lifecycle',
    'retention',
    'legal-hold',
    'attributes',
    'torrent',
    'cors',
    'encryption',
    'notification',
    'partNumber',
    'append',
    'renameObject',
  ].some((name) => query.has(name));
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI');
  }
}

function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  { refusal, requestId }: { refusal: S3Error; requestId: string },
): void {
  for (const name of response.getHeaderNames()) if (name !== 'x-amz-request-id') response.removeHeader(name);
  response.statusCode = refusal.status;
  if (request.method === 'HEAD' || refusal.status === 304) {
    response.end();
    return;
  }
  const path = (request.url ?? '').replace(/\?.*$/s, '');
  const body = Buffer.from(errorXml(refusal, path, requestId));
  response.setHeader('content-type', 'application/xml');
  response.setHeader('content-length', body.byteLength);
  response.end(body);
}
