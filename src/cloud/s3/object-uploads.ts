import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFile, privateFolder } from '../../runtime/private-files.ts';
import type { WriteCondition } from '../model/objects.ts';
import { isAbsent, openObject, readRecord, stageBody } from './object-file.ts';
import type { ObjectRecord } from './object-record.ts';
import type { Bucket, Written } from './object-store.ts';

/** What was said when an upload in parts began. */
export interface UploadStart {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The algorithm of its parts' checksums, in lower case. */
  readonly checksum?: string;
}

/** One stored part of an upload. */
export interface UploadPart {
  readonly number: number;
  readonly record: ObjectRecord;
}

/** Uploads in parts of one bucket; a part is a file like an object's, below the upload's folder. */
export interface Uploads {
  begin(start: UploadStart): string;
  /** What an unfinished upload began with; undefined where there is none of this id and key. */
  find(key: string, uploadId: string): UploadStart | undefined;
  /** Resolves to undefined when the upload was finished or aborted meanwhile. */
  putPart(uploadId: string, number: number, body: AsyncIterable<Uint8Array>): Promise<ObjectRecord | undefined>;
  parts(uploadId: string): readonly UploadPart[];
  /** Joins the parts into the object; the upload stays where nothing was written. */
  complete(uploadId: string, parts: readonly UploadPart[], condition: WriteCondition): Promise<Written>;
  abort(uploadId: string): void;
}

/** Opens the uploads of a bucket. */
export function openUploads(bucket: Bucket): Uploads {
  const folder = join(bucket.folder, 'uploads');
  const folderOf = (uploadId: string): string => join(folder, uploadId);
  const partPath = (uploadId: string, number: number): string =>
    join(folderOf(uploadId), `part-${String(number).padStart(5, '0')}`);
  const read = (uploadId: string): UploadStart | undefined => {
    if (!/^[0-9a-f]{32}$/.test(uploadId)) return undefined;
    try {
      // Only `begin` writes this file, and a rename shows it whole.
      return JSON.parse(readFileSync(join(folderOf(uploadId), 'upload.json'), 'utf8')) as UploadStart;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
  return {
    begin(start) {
      const uploadId = randomBytes(16).toString('hex');
      mkdirSync(folderOf(uploadId), privateFolder);
      const path = join(folderOf(uploadId), 'upload.json');
      writeFileSync(`${path}.new`, JSON.stringify(start), privateFile);
      renameSync(`${path}.new`, path);
      return uploadId;
    },
    find(key, uploadId) {
      const start = read(uploadId);
      return start?.key === key ? start : undefined;
    },
    async putPart(uploadId, number, body) {
      const staging = await stageBody(join(bucket.folder, 'staged'), body);
      try {
        const record = { etag: staging.md5, bytes: staging.bytes, modifiedMs: Date.now(), headers: {}, metadata: {} };
        await staging.seal(record);
        if (!existsSync(folderOf(uploadId))) return undefined;
        staging.publish(partPath(uploadId, number));
        return record;
      } finally {
        await staging.discard();
      }
    },
    parts(uploadId) {
      const numbers = readdirSync(folderOf(uploadId)).flatMap((name) =>
        name.startsWith('part-') ? [Number(name.slice(5))] : [],
      );
      return numbers
        .sort((a, b) => a - b)
        .flatMap((number) => {
          const record = readRecord(partPath(uploadId, number));
          return record === undefined ? [] : [{ number, record }];
        });
    },
    async complete(uploadId, parts, condition) {
      const start = read(uploadId);
      if (start === undefined) return { written: false, reason: 'gone' };
      const digests = createHash('md5');
      for (const { record } of parts) digests.update(record.etag, 'hex');
      const written = await bucket.put(start.key, joinParts(parts.map(({ number }) => partPath(uploadId, number))), {
        headers: start.headers,
        metadata: start.metadata,
        condition,
        etag: `${digests.digest('hex')}-${parts.length}`,
        stillWanted: () => existsSync(folderOf(uploadId)),
      });
      if (written.written) rmSync(folderOf(uploadId), { recursive: true, force: true });
      return written;
    },
    abort(uploadId) {
      rmSync(folderOf(uploadId), { recursive: true, force: true });
    },
  };
}

async function* joinParts(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) {
    const part = openObject(path);
    // A part that an abort took away ends the copy; `stillWanted` then says that the upload is gone.
    if (part === undefined) return;
    try {
      if (part.record.bytes === 0) continue;
      const body = part.read(0, part.record.bytes - 1);
      if (body instanceof Uint8Array) yield body;
      else yield* body;
    } finally {
      part.close();
    }
  }
}
