import type { IncomingHttpHeaders } from 'node:http';
import type { WriteCondition } from '../model/objects.ts';
import { S3Error } from './errors.ts';
import type { ObjectRecord } from './object-record.ts';

/** Checks the conditions of a GET, HEAD, or copy in the order of RFC 9110. @throws S3Error `PreconditionFailed` or `NotModified`. */
export function checkRead(record: ObjectRecord, headers: IncomingHttpHeaders, prefix = ''): void {
  const header = (name: string): string | undefined => headers[`${prefix}${name}`]?.toString();
  const modifiedSeconds = Math.floor(record.modifiedMs / 1_000);
  const secondsOf = (name: string): number => Date.parse(header(name) ?? '') / 1_000;
  const ifMatch = header('if-match');
  if (ifMatch !== undefined ? !matches(ifMatch, record.etag) : modifiedSeconds > secondsOf('if-unmodified-since')) {
    throw new S3Error('PreconditionFailed', { Condition: ifMatch !== undefined ? 'If-Match' : 'If-Unmodified-Since' });
  }
  const ifNoneMatch = header('if-none-match');
  if (
    ifNoneMatch !== undefined ? matches(ifNoneMatch, record.etag) : modifiedSeconds <= secondsOf('if-modified-since')
  ) {
    throw prefix === '' ? new S3Error('NotModified') : new S3Error('PreconditionFailed');
  }
}

/** The condition of a write. @throws S3Error `NotImplemented` for a condition that S3 does not take on writes. */
export function writeCondition(headers: IncomingHttpHeaders): WriteCondition {
  const ifNoneMatch = headers['if-none-match'];
  const ifMatch = headers['if-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw new S3Error('NotImplemented', { Header: 'If-None-Match' });
  if (ifNoneMatch !== undefined && ifMatch !== undefined) throw new S3Error('NotImplemented', { Header: 'If-Match' });
  return { ifAbsent: ifNoneMatch === '*', ...(ifMatch === undefined ? {} : { ifMatch: unquoted(ifMatch) }) };
}

/** The bytes that a Range header asks for, inclusive; undefined means all. @throws S3Error `InvalidRange` where no byte is in it. */
export function parseRange(
  header: string | undefined,
  bytes: number,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= bytes)
    throw new S3Error('InvalidRange', { RangeRequested: header ?? '', ActualObjectSize: String(bytes) });
  return { start, end };
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((one) => one.trim() === '*' || unquoted(one) === etag);
}

/** An ETag as it is kept: without quotation marks. */
export function unquoted(etag: string): string {
  return etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}
