import { elements, elementTexts } from '../../aws/xml.ts';
import { openBody, readText } from './body.ts';
import {
  answerEmpty,
  answerXml,
  bucketOf,
  isoSeconds,
  requireObjectAccess,
  type S3Call,
  writtenRecord,
} from './call.ts';
import { unquoted, writeCondition } from './conditions.ts';
import { S3Error } from './errors.ts';
import { openUploads, type UploadPart, type UploadStart, type Uploads } from './object-uploads.ts';
import { described } from './objects.ts';

/** Limits of uploads in parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxParts = 10_000;
const minPartBytes = 5_242_880;
/** 10,000 parts with their checksums stay below it. */
const maxCompleteBytes = 8_388_608;

/** CreateMultipartUpload. */
export async function createUpload(call: S3Call): Promise<void> {
  requireObjectAccess(call, 's3:PutObject');
  await readText(openBody(call.request), 0);
  const { headers } = call.request;
  const algorithm = headers['x-amz-checksum-algorithm'];
  const uploadId = openUploads(bucketOf(call)).begin({
    key: call.key,
    ...described(headers),
    ...(typeof algorithm === 'string' ? { checksum: algorithm.toLowerCase() } : {}),
  });
  answerXml(call, 'InitiateMultipartUploadResult', { Bucket: call.bucketName, Key: call.key, UploadId: uploadId });
}

/** UploadPart. */
export async function uploadPart(call: S3Call): Promise<void> {
  requireObjectAccess(call, 's3:PutObject');
  const { uploads, uploadId, start } = requireUpload(call);
  requireChecksum(call, start);
  const number = Number(call.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > maxParts) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'partNumber' },
      `Part number must be an integer between 1 and ${maxParts}, inclusive`,
    );
  }
  const body = openBody(call.request);
  const record = await uploads.putPart(uploadId, number, body.chunks);
  if (record === undefined) throw new S3Error('NoSuchUpload', { UploadId: uploadId });
  answerEmpty(call, 200, { etag: `"${record.etag}"`, ...body.verified });
}

/** CompleteMultipartUpload. */
export async function completeUpload(call: S3Call): Promise<void> {
  requireObjectAccess(call, 's3:PutObject');
  const condition = writeCondition(call.request.headers);
  if (condition.ifMatch !== undefined) requireObjectAccess(call, 's3:GetObject');
  const { uploads, uploadId, start } = requireUpload(call);
  const document = await readText(openBody(call.request), maxCompleteBytes);
  const stored = new Map(uploads.parts(uploadId).map((part) => [part.number, part]));
  const parts = elements(document, 'Part').map((part) => wantedPart(part, { stored, start }));
  checkParts(parts);
  const record = writtenRecord(call, await uploads.complete(uploadId, parts, condition));
  const location = `http://${call.request.headers.host ?? ''}/${call.bucketName}/${encodeURIComponent(call.key)}`;
  answerXml(call, 'CompleteMultipartUploadResult', {
    Location: location,
    Bucket: call.bucketName,
    Key: call.key,
    ETag: `"${record.etag}"`,
  });
}

/** AbortMultipartUpload. */
export function abortUpload(call: S3Call): void {
  requireObjectAccess(call, 's3:AbortMultipartUpload');
  const { uploads, uploadId } = requireUpload(call);
  uploads.abort(uploadId);
  answerEmpty(call, 204);
}

/** ListParts. */
export function listParts(call: S3Call): void {
  requireObjectAccess(call, 's3:ListMultipartUploadParts');
  const { uploads, uploadId } = requireUpload(call);
  const after = Number(call.query.get('part-number-marker') ?? 0);
  const max = Math.min(Number(call.query.get('max-parts') ?? 1_000), 1_000);
  const all = uploads.parts(uploadId).filter(({ number }) => number > after);
  const page = all.slice(0, max);
  answerXml(call, 'ListPartsResult', {
    Bucket: call.bucketName,
    Key: call.key,
    UploadId: uploadId,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number,
    MaxParts: max,
    IsTruncated: page.length < all.length,
    Part: page.map(({ number, record }) => ({
      PartNumber: number,
      LastModified: isoSeconds(record.modifiedMs),
      ETag: `"${record.etag}"`,
      Size: record.bytes,
    })),
  });
}

function requireUpload(call: S3Call): { uploads: Uploads; uploadId: string; start: UploadStart } {
  const uploads = openUploads(bucketOf(call));
  const uploadId = call.query.get('uploadId') ?? '';
  const start = uploads.find(call.key, uploadId);
  if (start === undefined) throw new S3Error('NoSuchUpload', { UploadId: uploadId });
  return { uploads, uploadId, start };
}

/** S3 refuses a part whose checksum is of another algorithm than the upload was begun with. */
function requireChecksum(call: S3Call, { checksum }: UploadStart): void {
  const { headers } = call.request;
  const names = [...Object.keys(headers), String(headers['x-amz-trailer'] ?? '')];
  const got = names.map((name) => /^x-amz-checksum-(crc|sha)/.exec(name) && name.slice('x-amz-checksum-'.length));
  const other = got.find((algorithm) => algorithm !== null && algorithm !== checksum);
  if (other === undefined) return;
  const message = `Checksum Type mismatch occurred, expected checksum Type: ${checksum ?? 'null'}, actual checksum Type: ${other}`;
  throw new S3Error('InvalidRequest', {}, message);
}

function wantedPart(
  element: string,
  upload: { readonly stored: ReadonlyMap<number, UploadPart>; readonly start: UploadStart },
): UploadPart {
  const { checksum } = upload.start;
  const part = upload.stored.get(Number(elementTexts(element, 'PartNumber')[0]));
  if (part === undefined || part.record.etag !== unquoted(elementTexts(element, 'ETag')[0] ?? ''))
    throw new S3Error('InvalidPart');
  if (checksum !== undefined && elementTexts(element, `Checksum${checksum.toUpperCase()}`).length === 0) {
    const message = `The upload was created using a ${checksum} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`;
    throw new S3Error('InvalidRequest', {}, message);
  }
  return part;
}

function checkParts(parts: readonly UploadPart[]): void {
  if (parts.length === 0) throw new S3Error('MalformedXML');
  if (parts.some(({ number }, index) => index > 0 && (parts[index - 1]?.number ?? 0) >= number))
    throw new S3Error('InvalidPartOrder');
  const small = parts.slice(0, -1).find(({ record }) => record.bytes < minPartBytes);
  if (small === undefined) return;
  const { number, record } = small;
  throw new S3Error('EntityTooSmall', {
    PartNumber: String(number),
    ProposedSize: String(record.bytes),
    MinSizeAllowed: String(minPartBytes),
  });
}
