import type { InputFormat } from '../../format/manifest.ts';
import type { FanOutRequest } from '../../format/request.ts';
import type { InputReader } from '../../ports.ts';
import { checkMark } from '../../task/check-mark.ts';
import { UsageError } from '../../task/errors.ts';
import { type JobLimits, limitsOver, requireCanary } from '../../task/job-limits.ts';
import type { Task } from '../../task/task.ts';
import { orAborted } from '../../waiting.ts';
import {
  argumentRecords,
  type CheckedBlock,
  checkedBlocks,
  formatOf,
  type ItemOptions,
} from '../input/checked-blocks.ts';
import { formatOfText, type SourceFormat } from '../input/formats.ts';
import { type NamedRecord, named, type RecordOptions, records } from '../input/records.ts';
import { type ByteSource, chooseSource, type InputSource } from '../input/source.ts';
import { unpack } from '../input/unpack.ts';
import { type LimitFlags, limitsOf } from '../limit-options.ts';
import type { LimitOptions } from '../options.ts';
import { loadTask, type TaskOptions, taskNames } from '../tasks.ts';
import { secretHeadersOf } from './secret-headers.ts';

/** Options that say what the items are. */
export interface InputOptions extends ItemOptions, RecordOptions {
  /** Each item stands in its row. */
  readonly withItem?: boolean;
  /** `name=template` of each header with a secret. */
  readonly secretHeader?: readonly string[];
  /** Files, patterns, `-` for standard input, or `s3://bucket/key`. */
  readonly input?: readonly string[];
  /** @default by the name of each, else by its first bytes */
  readonly format?: SourceFormat;
}

/** A job that is ready to be submitted: its task exists, its limits hold, and the first 5 MiB of its input are valid. */
export interface PreparedJob {
  readonly taskName: string;
  readonly options: NonNullable<FanOutRequest['options']>;
  /** What holds for the job as a whole: the task's own limits, and those that were asked for. */
  readonly jobLimits: JobLimits;
  readonly input: PreparedObject | PreparedBlocks | PreparedLater;
}

/** An S3 object that the stack reads itself. */
export interface PreparedObject {
  readonly kind: 'object';
  readonly address: string;
  readonly format?: InputFormat;
}

/** Input that is uploaded: the first block has been read, so that most mistakes show before a cloud is opened. */
export interface PreparedBlocks {
  readonly kind: 'blocks';
  readonly format: InputFormat;
  /** Says which version of the task checks the blocks. */
  readonly mark: string | undefined;
  readonly first: CheckedBlock;
  readonly rest: AsyncIterable<CheckedBlock>;
  /** What was found out about the sources beside their names, in words. */
  readonly notes: readonly string[];
}

/** Input that begins with an S3 object which has to be looked at, or converted, by this command. */
export interface PreparedLater {
  readonly kind: 'later';
  readonly open: (reader: InputReader) => Promise<PreparedObject | PreparedBlocks>;
}

/** Checks what can be checked without a cloud. @throws UsageError in one sentence */
export async function prepareJob(
  taskName: string | undefined,
  items: readonly string[],
  options: InputOptions & LimitOptions & LimitFlags & TaskOptions & { readonly signal: AbortSignal },
): Promise<PreparedJob> {
  if (taskName === undefined) {
    throw new UsageError(
      'UnknownTask',
      `expected the name of a task: ${taskNames(options).join(', ')}; "fanloop tasks" says what they do`,
    );
  }
  const task = await loadTask(taskName, options);
  const { input = [] } = options;
  if (input.length === 0) refuseWithoutInput(options);
  return prepareSource({ taskName, task, source: await chooseSource(items, input) }, options);
}

/** Options that mean nothing for items given as arguments. */
function refuseWithoutInput(options: InputOptions): void {
  const { format, columns, delimiter, comment } = options;
  const [name] = Object.entries({ format, columns, delimiter, comment }).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined) throw new UsageError('InvalidOptions', `--${name} needs --input`);
}

/** Checks the beginning of a source. @throws UsageError in one sentence */
export async function prepareSource(
  job: { readonly taskName: string; readonly task: Task; readonly source: InputSource },
  options: InputOptions & LimitOptions & LimitFlags & { readonly signal: AbortSignal },
): Promise<PreparedJob> {
  const limits = limitsOf(options) as JobLimits;
  const jobOptions = {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    ...(options.attempts === undefined ? {} : { attempts: options.attempts }),
    ...(options.withItem === true ? { withItem: true } : {}),
    ...secretHeadersOf(job.taskName, options.secretHeader),
  };
  const { taskName, task, source } = job;
  const jobLimits = limitsOver(task.limits, limits);
  requireCanary(jobLimits);
  return {
    taskName,
    options: jobOptions,
    jobLimits,
    input: await prepareInput(source, task, options),
  };
}

type Preparing = InputOptions & { readonly signal: AbortSignal };

async function prepareInput(source: InputSource, task: Task, options: Preparing): Promise<PreparedJob['input']> {
  if (source.kind === 'arguments') {
    return blocksOf(argumentRecords(source.items, task), task, { ...options, name: 'the arguments' });
  }
  const { sources } = source;
  const [first] = sources;
  const name = sources.length === 1 ? first.name : `${sources.length} inputs`;
  const blocks = async (reader: InputReader | undefined): Promise<PreparedBlocks> => {
    const notes: string[] = [];
    const prepared = await blocksOf(recordsOf(sources, { options, notes, reader }), task, { ...options, name });
    return { ...prepared, notes };
  };
  if (sources.every(({ address }) => address === undefined)) return blocks(undefined);
  const { address } = first;
  if (address === undefined || sources.length > 1 || !passesAsItIs(options)) return { kind: 'later', open: blocks };
  const format = options.format ?? first.format;
  if (format !== undefined && !address.toLowerCase().endsWith('.gz')) {
    return isRead(format) ? { kind: 'object', address, format } : { kind: 'later', open: blocks };
  }
  return {
    kind: 'later',
    open: async (reader) => {
      const { start, was, bytes } = await unpack(first.open(reader), first.name);
      // Only the beginning was wanted.
      await bytes[Symbol.asyncIterator]().return?.();
      const found = format ?? formatOfText(textOf(start));
      return was.length === 0 && isRead(found) ? { kind: 'object', address, format: found } : blocks(reader);
    },
  };
}

/** The formats that workers read from an S3 object themselves. */
const isRead = (format: SourceFormat): format is 'ndjson' | 'lines' => format === 'ndjson' || format === 'lines';

/** Whether each record of the source is an item, so that nothing of it has to be written anew. */
const passesAsItIs = (options: InputOptions): boolean =>
  [
    ...[options.map, options.header, options.method, options.body, options.key, options.comment],
    ...[options.skip, options.limit, options.sample, options.onInvalid],
  ].every((option) => option === undefined || option === 'refuse');

async function blocksOf(
  source: AsyncIterable<readonly NamedRecord[]>,
  task: Task,
  options: Preparing & { readonly name: string },
): Promise<PreparedBlocks> {
  const blocks = checkedBlocks(source, task, options);
  // Whoever types the items, or waits for another program's, may change their mind.
  const first = await orAborted(blocks.next(), options.signal);
  if (first.done === true) throw new Error('expected checkedBlocks to refuse an empty input');
  const format = formatOf(options);
  return { kind: 'blocks', format, mark: checkMark(task, format), first: first.value, rest: blocks, notes: [] };
}

/** The records of all sources, one source after another. */
async function* recordsOf(
  sources: readonly ByteSource[],
  at: { readonly options: Preparing; readonly notes: string[]; readonly reader: InputReader | undefined },
): AsyncGenerator<readonly NamedRecord[]> {
  const { options, notes, reader } = at;
  for (const source of sources) {
    const { bytes, start, was } = await unpack(source.open(reader), source.name);
    const format = options.format ?? source.format ?? formatOfText(textOf(start));
    const unnamed = was.filter((kind) => kind !== 'gzip' || !source.name.toLowerCase().endsWith('.gz'));
    if (unnamed.length > 0) notes.push(`${source.name} is ${unnamed.join(', then ')}: it is read as ${format}`);
    else if (options.format === undefined && source.format === undefined && start.length > 0)
      notes.push(`${source.name} is read as ${format}; --format says otherwise`);
    for await (const batch of named(source.name, records(bytes, format, options))) yield batch;
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
