import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { privateFile, privateFolder } from '../../runtime/private-files.ts';
import {
  DamagedObject,
  damaged,
  decodeRecord,
  encodeRecord,
  type ObjectRecord,
  readAt,
  readRecordAt,
  tailBytes,
} from './object-record.ts';

/** An object that is being read: it stays whole even when its key is overwritten or deleted meanwhile. */
export interface OpenObject {
  readonly record: ObjectRecord;
  /** Bytes `start` to `end`, inclusive: at once where they are few, else as a stream that closes the file at its end. */
  read(start: number, end: number): Buffer | Readable;
  /** Closes the file where no stream was taken. */
  close(): void;
}

/** A body that was written to a temporary file (or is kept in memory while small) and is no object yet. */
export interface StagedBody {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly md5: string;
  /** Adds the record; what is left to do after it is one rename. */
  seal(record: ObjectRecord): Promise<void>;
  /** Makes the object visible at `path`, body and record together. Runs at once, so a condition checked in the same turn of the event loop holds. */
  publish(path: string): void;
  /** Removes the temporary file where the body was not published. */
  discard(): Promise<void>;
}

/** Bodies up to this size are read and written by one call, which blocks the event loop for some 20 µs; four trips through the thread pool take ten times as long. */
const smallBytes = 65_536;
/** Up to this size what is asked of a larger body is read by one call too, once its record is known: 0.2 ms; a stream of it takes eight times as much. */
const mediumBytes = 1_048_576;
/** A large body is written in pieces of about this size. */
const writeBytes = 262_144;
/**
 * Writes a body into a temporary file below `folder`. A file is body, then record, then the record's length: so a body can be streamed before its ETag
 * is known, and one rename shows both. Nothing is synced to the disk: a killed process leaves its writes in the system's page cache, and only
 * a loss of power could undo them.
 */
export async function stageBody(folder: string, body: AsyncIterable<Uint8Array>): Promise<StagedBody> {
  const hash = createHash('md5');
  const path = join(folder, randomUUID());
  let bytes = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let file: FileHandle | undefined;
  const discard = async (): Promise<void> => {
    await file?.close();
    file = undefined;
    rmSync(path, { force: true });
  };
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      held.push(chunk);
      heldBytes += chunk.byteLength;
      if (heldBytes <= (file === undefined ? smallBytes : writeBytes)) continue;
      file ??= await openTemporary(path);
      await file.writeFile(Buffer.concat(held));
      held = [];
      heldBytes = 0;
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    bytes,
    md5: hash.digest('hex'),
    async seal(record) {
      held.push(encodeRecord(record));
      if (file === undefined) return;
      await file.writeFile(Buffer.concat(held));
      held = [];
      await file.close();
      file = undefined;
    },
    publish(target) {
      if (held.length > 0) withFolder(path, () => writeFileSync(path, Buffer.concat(held), privateFile));
      withFolder(target, () => renameSync(path, target));
    },
    discard,
  };
}

/** Opens the object in a file; undefined where there is none. */
export function openObject(path: string): OpenObject | undefined {
  const fd = openExisting(path);
  if (fd === undefined) return undefined;
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  try {
    const size = fstatSync(fd).size;
    if (size <= smallBytes + tailBytes) {
      const content = readAt(fd, 0, size);
      close();
      const record = decodeRecord(content, path) ?? damaged(path);
      return { record, read: (start, end) => content.subarray(start, end + 1), close };
    }
    return {
      record: readRecordAt(fd, size, path),
      read(start, end) {
        const bytes = end + 1 - start;
        if (bytes <= mediumBytes) return readAt(fd, start, bytes);
        open = false;
        return createReadStream(path, { fd, start, end, highWaterMark: 131_072 });
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads an object's record alone; undefined where there is no object. */
export function readRecord(path: string): ObjectRecord | undefined {
  const fd = openExisting(path);
  if (fd === undefined) return undefined;
  try {
    return readRecordAt(fd, fstatSync(fd).size, path);
  } finally {
    closeSync(fd);
  }
}

/** The same for a list, which tells of a damaged object too: it can be deleted by its key. */
export function readListed(path: string): ObjectRecord | undefined {
  try {
    return readRecord(path);
  } catch (error) {
    if (!(error instanceof DamagedObject)) throw error;
    const { size, mtimeMs } = statSync(path);
    return { etag: 'damaged', bytes: size, modifiedMs: mtimeMs, headers: {}, metadata: {} };
  }
}

/** Runs an action on a path, and once more after making its folder when that is absent. */
function withFolder(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isAbsent(error)) throw error;
    mkdirSync(dirname(path), privateFolder);
    action();
  }
}

/** Whether an error of the file system says that a file or its folder does not exist. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function openTemporary(path: string): Promise<FileHandle> {
  mkdirSync(dirname(path), privateFolder);
  return open(path, 'wx', privateFile.mode);
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
