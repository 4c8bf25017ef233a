import type { InputFormat } from '../../format/manifest.ts';
import type { FanOutRequest } from '../../format/request.ts';
import { UsageError } from '../../task/errors.ts';
import type { Task } from '../../task/task.ts';
import { orAborted } from '../../waiting.ts';
import { type CheckedBlock, checkedBlocks } from '../input/checked-blocks.ts';
import { chooseSource, type InputSource } from '../input/source.ts';
import type { LimitOptions } from '../options.ts';
import { loadTask, taskNames } from '../tasks.ts';

/** Options that say what the items are. */
export interface InputOptions {
  readonly input?: string;
  readonly format?: InputFormat;
}

/** A job that is ready to be submitted: its task exists, its limits hold, and the first 5 MiB of its input are valid. */
export interface PreparedJob {
  readonly taskName: string;
  readonly limits: NonNullable<FanOutRequest['options']>;
  readonly input: { readonly kind: 'object'; readonly address: string } | PreparedBlocks;
}

/** Input that is uploaded: the first block has been read, so that most mistakes show before a cloud is opened. */
export interface PreparedBlocks {
  readonly kind: 'blocks';
  readonly first: CheckedBlock;
  readonly rest: AsyncIterable<CheckedBlock>;
}

/** Checks what can be checked without a cloud. @throws UsageError in one sentence */
export async function prepareJob(
  taskName: string | undefined,
  items: readonly string[],
  options: InputOptions & LimitOptions & { readonly signal: AbortSignal },
): Promise<PreparedJob> {
  if (taskName === undefined) {
    throw new UsageError(
      'UnknownTask',
      `expected the name of a task: ${(await taskNames()).join(', ')}; "fanloop tasks" says what they do`,
    );
  }
  const task = await loadTask(taskName);
  const source = await chooseSource(items, options);
  return prepareSource({ taskName, task, source }, options);
}

/** Checks the beginning of a source. @throws UsageError in one sentence */
export async function prepareSource(
  job: { readonly taskName: string; readonly task: Task; readonly source: InputSource },
  options: LimitOptions & { readonly signal: AbortSignal },
): Promise<PreparedJob> {
  const limits = {
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    ...(options.attempts === undefined ? {} : { attempts: options.attempts }),
  };
  const { taskName, task, source } = job;
  if (source.kind === 'object') return { taskName, limits, input: source };
  const blocks = checkedBlocks(source, task);
  // Whoever types the items, or waits for another program's, may change their mind.
  const first = await orAborted(blocks.next(), options.signal);
  if (first.done === true) throw new Error('expected checkedBlocks to refuse an empty input');
  return { taskName, limits, input: { kind: 'blocks', first: first.value, rest: blocks } };
}
