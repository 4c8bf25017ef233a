import { readSync } from 'node:fs';

/** What is known of an object beside its body. */
export interface ObjectRecord {
  /** Without quotation marks. */
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Headers that a GET answers as they were given: content-type, cache-control, … */
  readonly headers: Readonly<Record<string, string>>;
  /** The user's metadata, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Records are shorter: S3 takes 2 KB of metadata and 8 KB of headers. A longer one is read in a second step. */
export const tailBytes = 4_096;
/** Ends each file, after the record's length in four bytes. */
const magic = Buffer.from('FLO1');
const footerBytes = 8;

/** Reads bytes of an open file; fewer where it ends before. */
export function readAt(fd: number, start: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let done = 0;
  while (done < bytes) {
    const count = readSync(fd, buffer, done, bytes - done, start + done);
    if (count === 0) return buffer.subarray(0, done);
    done += count;
  }
  return buffer;
}

/** Reads the record at the end of an open file. */
export function readRecordAt(fd: number, size: number, path: string): ObjectRecord {
  const tail = readAt(fd, Math.max(0, size - tailBytes), Math.min(size, tailBytes));
  return (
    decodeRecord(tail, path) ??
    decodeRecord(readAt(fd, Math.max(0, size - 65_536), Math.min(size, 65_536)), path) ??
    damaged(path)
  );
}

/** What ends an object's file. */
export function encodeRecord(record: ObjectRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const footer = Buffer.alloc(footerBytes);
  footer.writeUInt32BE(json.byteLength);
  magic.copy(footer, 4);
  return Buffer.concat([json, footer]);
}

/** The record at the end of these bytes; undefined where it begins before them. */
export function decodeRecord(end: Buffer, path: string): ObjectRecord | undefined {
  if (end.byteLength < footerBytes || !end.subarray(-4).equals(magic)) damaged(path);
  const length = end.readUInt32BE(end.byteLength - footerBytes);
  const start = end.byteLength - footerBytes - length;
  if (start < 0) return undefined;
  // Only encodeRecord writes this text, and a rename shows it whole.
  return JSON.parse(end.toString('utf8', start, end.byteLength - footerBytes)) as ObjectRecord;
}

/** A file that nobody wrote so: somebody changed it, or the disk lost a part of it. */
export class DamagedObject extends Error {}

/** @throws DamagedObject that says what is wrong with the file. */
export function damaged(path: string): never {
  throw new DamagedObject(`expected an object's file that ends in its record, got something else at ${path}`);
}
