import type { Command } from 'commander';
import { removeJob } from '../../client/remove.ts';
import { drawLines, type Sample } from '../../client/sample.ts';
import { forecast } from '../../folder/forecast.ts';
import type { InputFormat } from '../../format/manifest.ts';
import { splitLines } from '../../input/lines.ts';
import { limits } from '../../limits.ts';
import type { CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { ifInterrupted } from '../interrupt.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { type PreparedBlocks, type PreparedObject, prepareJob } from '../jobs/prepare.ts';
import { awaitJob, exitCodeOf, noJob, startJob } from '../jobs/run-job.ts';
import { type OutputOptions, wholeNumber, withOutput } from '../options.ts';
import { forecastLines } from '../view/forecast.ts';
import { limitsText } from '../view/limits-text.ts';
import { type JobInputOptions, showHelp, withJobInput } from './job-input.ts';

interface EstimateOptions extends JobInputOptions, OutputOptions {
  readonly trial?: number;
}

/** Enough that what happens to 3 % of the items is seen once in twenty. */
const defaultTrial = 100;
/** Of an S3 object only the beginning is read; how many items it has is told by its size. */
const headBytes = 5_242_880;

export function define(command: Command, context: CommandContext): void {
  withOutput(withJobInput(command))
    .option('--trial <n>', `items that are run for real (default: ${defaultTrial})`, wholeNumber('--trial', 1, 10_000))
    .action(async (task: string | undefined, items: readonly string[], options: EstimateOptions) => {
      if (await showHelp(command, task, context)) return;
      context.finish(await estimate({ task, items, options }, context));
    });
}

async function estimate(
  asked: { readonly task: string | undefined; readonly items: readonly string[]; readonly options: EstimateOptions },
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  const { options } = asked;
  const prepared = await ifInterrupted(noJob, prepareJob(asked.task, asked.items, { ...options, signal }));
  await using jobs = await ifInterrupted(noJob, openJobs(options, { resume: false, submits: true, signal }));
  const { stack } = jobs;
  const input = prepared.input.kind === 'later' ? await prepared.input.open(stack.input) : prepared.input;
  const sample = await ifInterrupted(noJob, draw(input, { ...jobs, size: options.trial ?? defaultTrial }));
  const context = { ...jobs, terminal, signal, options };
  const bytes = Buffer.from(`${sample.lines.join('\n')}\n`);
  const trial: PreparedBlocks = {
    kind: 'blocks',
    format: sample.format,
    // Lines that were drawn are checked by the stack: they may be those of an object.
    mark: undefined,
    first: { bytes, items: sample.lines.length },
    rest: none(),
    notes: [],
  };
  const { maxConcurrency, rate } = prepared.jobLimits;
  // What ends or pauses a job is not the trial's.
  const { limits: _stops, ...more } = prepared.options;
  const paced = { ...(maxConcurrency !== undefined && { maxConcurrency }), ...(rate !== undefined && { rate }) };
  const job = await startJob(
    context,
    { ...prepared, options: { ...more, limits: paced }, input: trial },
    { inline: false },
  );
  const summary = await awaitJob(context, job);
  await removeJob(stack.store, job.id);
  const fleet = { workers: stack.workers, concurrency: limits.concurrency };
  const { items, bytes: inputBytes } = sample;
  const found = forecast(summary, { ...fleet, limits: prepared.jobLimits, items, bytes: inputBytes });
  if (options.json === true)
    await terminal.data(`${JSON.stringify({ type: 'estimate', ...found, ...fleet, sample: summary })}\n`);
  else
    for (const line of forecastLines(
      found,
      { sample: summary, reach: limitsText(paced, fleet), isCounted: sample.isCounted },
      terminal,
    ))
      await terminal.data(`${line}\n`);
  return exitCodeOf(summary);
}

interface Drawn extends Sample {
  readonly format: InputFormat;
  readonly isCounted: boolean;
}

/** Draws the items that are run: of what is given here from the whole of it, of an S3 object from its beginning. */
async function draw(
  input: PreparedObject | PreparedBlocks,
  { stack, size }: { readonly stack: Parameters<typeof awaitJob>[0]['stack']; readonly size: number },
): Promise<Drawn> {
  if (input.kind === 'blocks')
    return { ...(await drawLines(blocksOf(input), size, stack.random)), format: input.format, isCounted: true };
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(input.address) ?? [];
  const head = await stack.input.head({ bucket, key });
  if (head === undefined) throw new Error(`expected an object at ${input.address}, got none`);
  const range = { start: 0, end: Math.min(head.bytes, headBytes) - 1 };
  const lines = splitLines(stack.input.stream({ bucket, key, etag: head.etag }, range));
  const found = await drawLines(linesOf(lines), size, stack.random);
  const isCounted = head.bytes <= headBytes;
  const items = isCounted ? found.items : Math.round((found.items * head.bytes) / headBytes);
  return { ...found, items, bytes: head.bytes, format: input.format ?? 'ndjson', isCounted };
}

async function* blocksOf({ first, rest }: PreparedBlocks) {
  yield first;
  yield* rest;
}

async function* linesOf(lines: AsyncIterable<{ readonly bytes: Uint8Array }>) {
  for await (const { bytes } of lines) yield { bytes, items: 1 };
}

async function* none(): AsyncGenerator<never> {}
