import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import type { InputReader } from '../../ports.ts';
import { UsageError } from '../../task/errors.ts';
import { formatOfName, type SourceFormat } from './formats.ts';

/** One stream of bytes that items come from. */
export interface ByteSource {
  /** How it is called in messages. */
  readonly name: string;
  /** What its name says. */
  readonly format: SourceFormat | undefined;
  /** `s3://bucket/key` where it is an object. */
  readonly address?: string;
  /** @param reader reads S3; only a command that has opened a target has one */
  open(reader: InputReader | undefined): AsyncIterable<Uint8Array>;
}

/** Where a job's items come from. */
export type InputSource =
  | { readonly kind: 'arguments'; readonly items: readonly string[] }
  | { readonly kind: 'bytes'; readonly sources: readonly [ByteSource, ...ByteSource[]] };

/** Reads bigger blocks than Node's 64 KiB, since large inputs are the reason to stream. */
const blockBytes = 262_144;

/**
 * Decides where the items come from: arguments, or files, patterns, standard input, and S3 objects, in the order given.
 *
 * @throws UsageError `InvalidOptions` when it is not clear, `MissingFile` when a file cannot be read
 */
export async function chooseSource(items: readonly string[], inputs: readonly string[]): Promise<InputSource> {
  if (inputs.length === 0) {
    if (items.length > 0) return { kind: 'arguments', items };
    throw new UsageError(
      'EmptyInput',
      'expected items: as arguments, or from a file by --input FILE (- reads standard input)',
    );
  }
  // A shell that expands `--input *.csv` hands the second file on as an argument.
  const all = [...inputs, ...(await filesAmong(items, inputs))];
  const [first, ...rest] = (await Promise.all(all.map(sourcesOf))).flat();
  if (first === undefined)
    throw new UsageError('MissingFile', `expected files, got none that fit ${inputs.join(', ')}`);
  return { kind: 'bytes', sources: [first, ...rest] };
}

async function filesAmong(items: readonly string[], inputs: readonly string[]): Promise<readonly string[]> {
  const kinds = await Promise.all(items.map((item) => stat(item).catch(() => undefined)));
  if (kinds.every((kind) => kind?.isFile() === true)) return items;
  throw new UsageError(
    'InvalidOptions',
    `expected items either as arguments or by --input, got both (${items.length} and ${inputs.join(', ')})`,
  );
}

async function sourcesOf(input: string): Promise<readonly ByteSource[]> {
  if (input.startsWith('s3://')) return [objectSource(input)];
  if (input === '-') return [{ name: 'standard input', format: undefined, open: () => process.stdin }];
  const stats = await stat(input).catch((error: unknown) => error);
  if (stats instanceof Error && /[*?[{]/.test(input)) return (await matches(input)).map(fileSource);
  requireFile(input, stats);
  return [fileSource(input)];
}

const byNumber = new Intl.Collator('en', { numeric: true });

/** The files that fit a pattern; numbers in their names sort as numbers. */
async function matches(pattern: string): Promise<readonly string[]> {
  const found = (await Array.fromAsync(glob(pattern))).sort(byNumber.compare);
  const files = await Promise.all(
    found.map(async (file) => ({ file, stats: await stat(file).catch(() => undefined) })),
  );
  const names = files.filter(({ stats }) => stats?.isFile() === true).map(({ file }) => file);
  if (names.length > 0) return names;
  throw new UsageError('MissingFile', `expected files that fit ${pattern}, got none`);
}

const fileSource = (file: string): ByteSource => ({
  name: file,
  format: formatOfName(file),
  open: () => readFile(file),
});

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: blockBytes });
  } catch (error) {
    throw unreadable(file, error);
  }
}

function objectSource(address: string): ByteSource {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(address) ?? [];
  if (bucket === undefined || key === undefined)
    throw new UsageError('InvalidOptions', `expected --input to be s3://bucket/key, got "${address}"`);
  return {
    name: address,
    address,
    format: formatOfName(key),
    open: async function* (reader) {
      const head = await reader?.head({ bucket, key });
      if (reader === undefined || head === undefined)
        throw new UsageError(
          'InvalidInput',
          `expected an object at ${address}, got none; check the address and upload it first`,
        );
      if (head.bytes > 0) yield* reader.stream({ bucket, key, etag: head.etag }, { start: 0 });
    },
  };
}

function requireFile(file: string, stats: unknown): void {
  if (stats instanceof Error) throw unreadable(file, stats);
  // What `stat` gives for anything that is there.
  if ((stats as { isDirectory(): boolean }).isDirectory())
    throw new UsageError(
      'InvalidInput',
      `expected a file, got the folder ${file}; a pattern as "${file}/*.ndjson" names files in it`,
    );
}

/** What the system says of a file, in words. */
function unreadable(file: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return cause;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is none',
    EACCES: 'it may not be read',
    EPERM: 'it may not be read',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of its path is no folder',
    ELOOP: 'its links lead in a circle',
    ENAMETOOLONG: 'its name is too long',
    EMFILE: 'this process has too many files open; "ulimit -n" raises the limit',
  };
  return new UsageError('MissingFile', `expected a file, got ${file}: ${reasons[code] ?? code}`, { cause });
}
