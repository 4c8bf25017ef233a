import type { BatchOptions, Job } from '../../client/job.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { Terminal } from '../terminal.ts';
import { openRows, type RowOutput, type RowOutputOptions } from '../view/row-output.ts';
import { AskedOutput } from './asked-output.ts';

/** The way of a job's rows to where they were asked for. */
export interface Delivery extends AsyncDisposable {
  /** Remembers where the job's rows go, so that `watch` can bring them there when this process cannot. */
  keep(jobId: string): void;
  /** Writes the rows of a job that has ended. */
  write(job: Job): Promise<void>;
}

/** Where rows go, and which of them. */
export interface DeliveryOptions extends Pick<TargetOptions, 'state'>, RowOutputOptions {}

/** Opens the output before anything is started. @throws UsageError as {@link openRows} */
export async function openDelivery(
  options: DeliveryOptions,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<Delivery> {
  const asked = new AskedOutput(options);
  const output = await openRows(options, terminal);
  return {
    keep: (jobId) => asked.keep(jobId, options),
    write: async (job) => {
      await deliverRows(job, output, { signal });
      await output.finish();
      asked.forget(job.id);
    },
    [Symbol.asyncDispose]: () => output.discard(),
  };
}

/** Writes the rows of a job until nobody reads them. */
export async function deliverRows(job: Job, output: RowOutput, options: BatchOptions): Promise<void> {
  for await (const lines of job.lines(options)) if (!(await output.write(lines))) break;
}
