import { newJobId } from '../../format/job-id.ts';
import { inputKey } from '../../format/paths.ts';
import type { Target } from '../../targets/target.ts';
import type { PreparedBlocks, PreparedJob } from './prepare.ts';

/** A job that has been taken. */
export interface Submitted {
  readonly jobId: string;
  /** Absent when the input is the caller's own S3 object: the fan-out counts it. */
  readonly items?: number;
}

/**
 * Uploads the input while it is checked, and has the fan-out start the job; when an item is refused, nothing is left behind.
 *
 * @throws UsageError that names the line of the item, or what the fan-out refused; the signal's reason when it is aborted
 */
export async function submitJob(target: Target, job: PreparedJob, signal: AbortSignal): Promise<Submitted> {
  signal.throwIfAborted();
  const jobId = newJobId(target.steer.clock.now(), Math.random);
  const { taskName: task, limits: options, input } = job;
  if (input.kind === 'object') {
    await target.startJob({ task, input: input.address, options, clientToken: jobId });
    return { jobId };
  }
  const counter = { items: 0 };
  const key = inputKey(jobId);
  await target.upload(key, bytesOf(input, counter), signal);
  signal.throwIfAborted();
  await target.startJob({ task, input: `s3://${target.bucket}/${key}`, options, clientToken: jobId });
  return { jobId, items: counter.items };
}

async function* bytesOf(input: PreparedBlocks, counter: { items: number }): AsyncGenerator<Buffer> {
  counter.items = input.first.items;
  yield input.first.bytes;
  for await (const block of input.rest) {
    counter.items += block.items;
    yield block.bytes;
  }
}
