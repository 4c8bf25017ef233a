import { constants } from 'node:fs';
import { access, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { toJsonLines } from '../../format/json.ts';
import type { Row } from '../../format/outcome.ts';
import { UsageError } from '../../task/errors.ts';
import type { Terminal } from '../terminal.ts';

/** Takes a job's rows, one JSON object a line. */
export interface RowOutput {
  /** Resolves to false when nobody reads the rows any more. */
  write(rows: readonly Row[]): Promise<boolean>;
  /** Puts the file in its place; only then it is there. */
  finish(): Promise<void>;
  /** Leaves nothing behind unless {@link RowOutput.finish} was called. */
  discard(): Promise<void>;
}

const linesOf = (rows: readonly Row[]): string => toJsonLines(rows);

/** Rows go to stdout. */
export const rowsToStdout = (terminal: Terminal): RowOutput => ({
  write: (rows) => terminal.data(linesOf(rows)),
  finish: async () => {},
  discard: async () => {},
});

/** Puts a failure of the file system, as a full disk, into one sentence. */
async function saying<Value>(file: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `expected ${file} to take the rows, got ${reason}; the job's results stay: "fanloop results --out FILE" writes them`,
      {
        cause,
      },
    );
  }
}

/**
 * Rows go to a file, which appears when it is complete; a device or pipe is written directly.
 *
 * @throws UsageError `MissingFile` when no file can be made there
 */
export async function rowsToFile(file: string): Promise<RowOutput> {
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory() === true)
    throw new UsageError('MissingFile', `expected --out to be a file, got the folder ${file}`);
  const direct = existing !== undefined && !existing.isFile();
  const folder = path.dirname(path.resolve(file));
  try {
    await access(direct ? file : folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError('MissingFile', `expected --out to be in a folder that can be written, got ${file}`, { cause });
  }
  const written = direct ? file : path.join(folder, `.${path.basename(file)}.${process.pid}.part`);
  let handle: FileHandle | undefined;
  const opened = async (): Promise<FileHandle> => {
    handle ??= await open(written, 'w');
    return handle;
  };
  return {
    write: async (rows) => {
      await saying(file, async () => (await opened()).writeFile(linesOf(rows)));
      return true;
    },
    finish: () =>
      saying(file, async () => {
        await (await opened()).close();
        handle = undefined;
        if (!direct) await rename(written, file);
      }),
    discard: async () => {
      await handle?.close();
      if (handle !== undefined && !direct) await rm(written, { force: true });
      handle = undefined;
    },
  };
}
