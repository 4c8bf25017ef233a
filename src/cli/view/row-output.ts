import { once } from 'node:events';
import { constants, createWriteStream } from 'node:fs';
import { access, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { decodeRows } from '../../format/result.ts';
import { UsageError } from '../../task/errors.ts';
import type { Terminal } from '../terminal.ts';
import { chosenLines, type RowChoice } from './row-choice.ts';
import { type RowFormat, rowFormat } from './row-format.ts';

/** Takes a job's rows. */
export interface RowOutput {
  /** Takes rows as the bytes of their JSON lines. Resolves to false when nobody reads the rows any more. */
  write(lines: Uint8Array): Promise<boolean>;
  /** Puts the file in its place; only then it is there. */
  finish(): Promise<void>;
  /** Leaves nothing behind unless {@link RowOutput.finish} was called. */
  discard(): Promise<void>;
}

/** Where the rows go, and which of them. */
export interface RowOutputOptions extends RowChoice {
  readonly out?: string | undefined;
}

/**
 * Opens what `--out` names: standard output (`-`, and the default), or a file.
 *
 * @throws UsageError `MissingFile` when no file can be made there, `InvalidOptions` when its name asks for what is not written
 */
export async function openRows(options: RowOutputOptions, terminal: Terminal): Promise<RowOutput> {
  const { out = '-' } = options;
  const format = rowFormat(out, options);
  const text = writer(format, chosenLines(options));
  if (out === '-') {
    return {
      write: (lines) => terminal.data(text.of(lines)),
      finish: async () => void (await terminal.data(text.end())),
      discard: async () => {},
    };
  }
  return rowsToFile(out, text);
}

/** What is written of the rows that were chosen, with what stands before and behind all of them. */
function writer(format: RowFormat, choose: ((lines: Uint8Array) => Uint8Array) | undefined) {
  let begun = false;
  let any = false;
  const start = (): string => {
    const text = begun ? '' : format.start;
    begun = true;
    return text;
  };
  return {
    of(all: Uint8Array): string | Uint8Array {
      const lines = choose === undefined ? all : choose(all);
      if (lines.length === 0) return start();
      if (format.verbatim === true) return lines;
      const text = `${start()}${format.encode(decodeRows(lines).rows, !any)}`;
      any = true;
      return text;
    },
    end: (): string => `${start()}${format.end}`,
  };
}

/** The file appears when it is complete; a device or pipe is written directly, and of a link the file that it leads to. */
async function rowsToFile(file: string, text: ReturnType<typeof writer>): Promise<RowOutput> {
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory() === true)
    throw new UsageError('MissingFile', `expected --out to be a file, got the folder ${file}`);
  const direct = existing !== undefined && !existing.isFile();
  const place = await placeOf(file);
  const folder = path.dirname(place);
  try {
    await access(direct ? file : folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError('MissingFile', `expected --out to be in a folder that can be written, got ${file}`, { cause });
  }
  const written = direct ? file : path.join(folder, `.${path.basename(place)}.${process.pid}.part`);
  let open: OpenFile | undefined;
  const opened = (): OpenFile => {
    open ??= openFile(written, { name: file, isPacked: file.toLowerCase().endsWith('.gz') });
    return open;
  };
  return {
    write: async (lines) => {
      await opened().write(text.of(lines));
      return true;
    },
    finish: async () => {
      const { write, close } = opened();
      await write(text.end());
      await close();
      open = undefined;
      if (!direct) await rename(written, place);
    },
    discard: async () => {
      const { destroy } = open ?? {};
      open = undefined;
      await destroy?.();
      if (destroy !== undefined && !direct) await rm(written, { force: true });
    },
  };
}

/** Where a file is or will be, links followed; a link may lead to a file that is not there yet. */
async function placeOf(file: string): Promise<string> {
  const real = await realpath(file).catch(() => undefined);
  if (real !== undefined) return real;
  const target = await readlink(file).catch(() => undefined);
  return path.resolve(target === undefined ? file : path.join(path.dirname(file), target));
}

/** Rows that are held while earlier ones are written: the disk does not wait for the next ones, nor they for the disk. */
const heldBytes = 2_097_152;

interface OpenFile {
  write(data: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

function openFile(
  written: string,
  { name, isPacked }: { readonly name: string; readonly isPacked: boolean },
): OpenFile {
  const file = createWriteStream(written, { highWaterMark: heldBytes });
  const entry: Writable = isPacked ? createGzip() : file;
  if (isPacked) entry.pipe(file);
  const ended = finished(file);
  // The failure is thrown by the write that meets it.
  ended.catch(() => undefined);
  const guarded = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      // A file that failed takes nothing more, so its end is waited for too.
      await Promise.race([work(), ended.then(() => undefined)]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        `expected ${name} to take the rows, got ${reason}; the job's results stay: "fanloop results --out FILE" writes them`,
        { cause },
      );
    }
  };
  return {
    write: (data) => guarded(async () => (data.length === 0 || entry.write(data) ? undefined : once(entry, 'drain'))),
    close: () =>
      guarded(async () => {
        entry.end();
        await ended;
      }),
    destroy: async () => {
      entry.destroy();
      file.destroy();
      await ended.catch(() => undefined);
    },
  };
}
