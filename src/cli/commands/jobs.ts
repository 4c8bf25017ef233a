import { type Command, Option } from 'commander';
import type { JobStatus } from '../../client/job-status.ts';
import { listJobs } from '../../folder/list-jobs.ts';
import { digestItems } from '../../format/digest.ts';
import type { Manifest } from '../../format/manifest.ts';
import type { Summary } from '../../format/summary.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { wholeNumber, withTarget, withWorkers } from '../options.ts';
import { table } from '../view/table.ts';
import { count } from '../wording.ts';

interface JobsOptions extends TargetOptions {
  readonly limit: number;
  readonly json?: boolean;
}

/** One job as `--json` writes it. */
interface JobLine {
  readonly jobId: string;
  readonly task: string;
  readonly state: JobStatus['state'];
  /** Items with an outcome, and items in all, as far as they are known. */
  readonly settled: number;
  readonly items: number;
  readonly failed: number;
  readonly startedAt: string;
}

const defaultLimit = 20;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withWorkers(withTarget(command))
    .addOption(
      new Option('--limit <n>', 'list at most this many')
        .argParser(wholeNumber('--limit', 1, 1_000_000))
        .default(defaultLimit),
    )
    .option('--json', 'write one JSON object a line')
    .action(async (options: JobsOptions) => {
      await using jobs = await openJobs(options, { resume: false, signal });
      const { stack, fanloop } = jobs;
      const lines: JobLine[] = [];
      const damaged: string[] = [];
      for await (const job of listJobs(stack.store, { limit: options.limit })) {
        if (job.manifest === undefined)
          damaged.push(
            `fanloop: job ${job.jobId} cannot be read, "fanloop rm ${job.jobId}" removes it: ${job.problem}`,
          );
        else if (job.summary !== undefined) lines.push(ended(job.manifest, job.summary));
        else lines.push(unfinished(job.manifest, await fanloop.find(job.jobId).status()));
      }
      for (const line of damaged) terminal.say(line);
      if (options.json === true) await terminal.data(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      else if (lines.length + damaged.length === 0) terminal.say('no jobs so far; "fanloop run" starts one');
      else if (lines.length > 0) await terminal.data(`${tableOf(lines)}\n`);
      const stands = lines.some(({ state }) => state === 'running' || state === 'cancelling');
      if (options.json !== true && stands && !stack.outlivesProcess())
        terminal.say('nothing runs here now; "fanloop watch JOB" goes on with a job');
    });
}

function ended({ createdAt }: Manifest, { jobId, task, end, items, totals }: Summary): JobLine {
  return { jobId, task, state: end, settled: digestItems(totals), items, failed: totals.failed, startedAt: createdAt };
}

function unfinished({ createdAt }: Manifest, { state, progress }: JobStatus): JobLine {
  const { jobId, task, items: settled, total, read, failed } = progress;
  return { jobId, task, state, settled, items: total ?? read, failed, startedAt: createdAt };
}

const tableOf = (lines: readonly JobLine[]): string =>
  table([
    ['JOB', 'TASK', 'STATE', 'ITEMS', 'FAILED', 'STARTED'],
    ...lines.map(({ jobId, task, state, settled, items, failed, startedAt }) => [
      jobId,
      task,
      state,
      settled < items ? `${count(settled)}/${count(items)}` : count(items),
      count(failed),
      localTime(startedAt),
    ]),
  ]);

/** A moment in the person's own time zone, in an order that sorts. */
const localTime = (iso: string): string =>
  new Date(iso).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
