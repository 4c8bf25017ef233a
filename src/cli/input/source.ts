import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { InputFormat } from '../../format/manifest.ts';
import { UsageError } from '../../task/errors.ts';

/** Where a job's items come from. */
export type InputSource =
  | { readonly kind: 'arguments'; readonly items: readonly string[] }
  | {
      readonly kind: 'stream';
      /** How the source is called in messages. */
      readonly name: string;
      readonly format: InputFormat;
      open(): AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'object'; readonly address: string };

const formatByExtension: Readonly<Record<string, InputFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json-lines': 'ndjson',
  '.txt': 'lines',
};

/** Reads bigger blocks than Node's 64 KiB, since large inputs are the reason to stream. */
const blockBytes = 262_144;

/**
 * Decides where the items come from.
 *
 * @throws UsageError `InvalidOptions` when it is not clear, `MissingFile` when the file cannot be read, `InvalidInput` when its format is not known.
 */
export async function chooseSource(
  items: readonly string[],
  options: { readonly input?: string; readonly format?: InputFormat },
): Promise<InputSource> {
  const { input } = options;
  if (input === undefined) {
    if (options.format !== undefined) throw new UsageError('InvalidOptions', '--format needs --input');
    if (items.length > 0) return { kind: 'arguments', items };
    throw new UsageError(
      'EmptyInput',
      'expected items: as arguments, or from a file by --input FILE (- reads standard input)',
    );
  }
  if (items.length > 0) {
    throw new UsageError(
      'InvalidOptions',
      `expected items either as arguments or by --input, got both (${items.length} and ${input})`,
    );
  }
  if (input.startsWith('s3://')) return objectSource(input, options.format);
  if (input === '-') {
    return { kind: 'stream', name: 'standard input', format: options.format ?? 'ndjson', open: () => process.stdin };
  }
  const format = options.format ?? formatByExtension[path.extname(input).toLowerCase()];
  await requireReadable(input);
  if (format === undefined) {
    throw new UsageError(
      'InvalidInput',
      `expected ${input} to end in .ndjson, .jsonl, .json-lines (a JSON value a line), or .txt (a text a line); --format ndjson or --format lines says what it is`,
    );
  }
  return { kind: 'stream', name: input, format, open: () => createReadStream(input, { highWaterMark: blockBytes }) };
}

function objectSource(address: string, format: InputFormat | undefined): InputSource {
  if (!/^s3:\/\/[^/]+\/.+$/.test(address)) {
    throw new UsageError('InvalidOptions', `expected --input to be s3://bucket/key, got "${address}"`);
  }
  if (format !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      '--format is for files; the name of an S3 object says its format (.txt: a text a line, else a JSON value a line)',
    );
  }
  return { kind: 'object', address };
}

async function requireReadable(file: string): Promise<void> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) throw new UsageError('InvalidInput', `expected a file, got the folder ${file}`);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('MissingFile', `expected a file, got ${file}: ${reason(cause)}`, { cause });
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is none';
  if (code === 'EACCES') return 'it may not be read';
  return String(code ?? error);
}
