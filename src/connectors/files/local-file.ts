import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TaskError } from '../../task/errors.ts';

/** Bytes that are read at once. */
const blockBytes = 262_144;

/** A folder whose files tasks may use; only a target on the person's own machine has one. */
export interface LocalFiles {
  /** An absolute path; relative paths of items start here, and nothing outside of it is read or written. */
  readonly root: string | undefined;
}

/**
 * Streams a file.
 *
 * @throws TaskError `LocalFilesRefused` or `FileFailed`
 */
export async function* readLocalFile(
  path: string,
  { root, signal }: LocalFiles & { readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const place = await inside(path, { root, makeFolder: false });
  try {
    yield* createReadStream(place, { highWaterMark: blockBytes, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw fileFailure(error, path);
  }
}

/**
 * Writes a stream to a file, which appears whole or not at all.
 *
 * @throws TaskError `LocalFilesRefused` or `FileFailed`
 * @throws what the stream fails with
 */
export async function writeLocalFile(
  path: string,
  { body, root, signal }: LocalFiles & { readonly body: Readable; readonly signal: AbortSignal },
): Promise<{ readonly path: string; readonly bytes: number }> {
  const place = await inside(path, { root, makeFolder: true });
  const partial = join(dirname(place), `.${basename(place)}.${randomUUID()}`);
  try {
    const file = createWriteStream(partial, { flush: true });
    await pipeline(body, file, { signal });
    await rename(partial, place);
    return { path, bytes: file.bytesWritten };
  } catch (error) {
    await rm(partial, { force: true });
    signal.throwIfAborted();
    throw isSystemError(error) ? fileFailure(error, path) : error;
  }
}

/** The real place of a path, links followed. */
async function inside(
  path: string,
  { root, makeFolder }: LocalFiles & { readonly makeFolder: boolean },
): Promise<string> {
  if (root === undefined) {
    throw new TaskError(
      `expected an s3:// address, got the path ${path}; files of a machine are open only to tasks that run on it`,
      {
        code: 'LocalFilesRefused',
      },
    );
  }
  const home = await realpath(root);
  const wanted = resolve(home, path);
  requireWithin(home, wanted, path);
  // Of what is not there yet, the nearest folder that is there says where it will be.
  requireWithin(home, await nearestReal(wanted), path);
  if (makeFolder) await mkdir(dirname(wanted), { recursive: true });
  return realpath(wanted).catch(() => wanted);
}

function nearestReal(path: string): Promise<string> {
  return realpath(path).catch(() => nearestReal(dirname(path)));
}

function requireWithin(home: string, place: string, path: string): void {
  const way = relative(home, place);
  if (way === '..' || way.startsWith(`..${sep}`)) {
    throw new TaskError(`expected a path within ${home}, got ${path}`, { code: 'LocalFilesRefused' });
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function fileFailure(error: unknown, path: string): TaskError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new TaskError(`expected to use the file ${path}, got ${code}`, { code: 'FileFailed', cause: error });
}
