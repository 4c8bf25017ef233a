import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
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
  const place = await inside(path, root);
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
  const place = await inside(path, root);
  const partial = join(dirname(place), `.${basename(place)}.${randomUUID()}`);
  try {
    await makeFolder(dirname(place));
    const file = createWriteStream(partial, { flush: true });
    await pipeline(body, file, { signal });
    await rename(partial, place);
    return { path, bytes: file.bytesWritten };
  } catch (error) {
    // What cannot be removed was never made, or is of the same disk that has just failed.
    await rm(partial, { force: true }).catch(() => {});
    signal.throwIfAborted();
    throw isSystemError(error) ? fileFailure(error, path) : error;
  }
}

/** The real place of a path, links followed. */
async function inside(path: string, root: string | undefined): Promise<string> {
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
  return realpath(wanted).catch(() => wanted);
}

function nearestReal(path: string): Promise<string> {
  return realpath(path).catch(() => nearestReal(dirname(path)));
}

/**
 * Makes a folder, and those above it that are absent. Node's `recursive` asks for ever where a file system has the folder above and
 * takes none below it, as /proc does, and each such call keeps one of the few threads that files have.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await isFolder(folder))) return;
    const above = dirname(folder);
    if (codeOf(error) !== 'ENOENT' || above === folder) throw error;
    await makeFolder(above);
    // Somebody else may have made it meanwhile.
    await mkdir(folder).catch(async (again: unknown) => {
      if (!(await isFolder(folder))) throw again;
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
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
  return new TaskError(`expected to use the file ${path}, got ${codeOf(error) ?? String(error)}`, {
    code: 'FileFailed',
    cause: error,
  });
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;
