import { type Command, Option } from 'commander';
import { listJobs } from '../../folder/list-jobs.ts';
import { newestFolder } from '../../folder/passes.ts';
import { lastTick } from '../../folder/read.ts';
import { digestItems } from '../../format/digest.ts';
import type { Manifest } from '../../format/manifest.ts';
import type { Summary } from '../../format/summary.ts';
import type { ObjectStore } from '../../ports.ts';
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
  readonly state: 'running' | Summary['end'];
  /** Items with an outcome, as the last turn counted them; and items in all, as far as they are known. */
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
      const { store } = jobs.stack;
      const lines: JobLine[] = [];
      for await (const { manifest, summary } of listJobs(store, { limit: options.limit })) {
        lines.push(await describe(store, manifest, summary));
      }
      if (options.json === true) await terminal.data(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      else if (lines.length === 0) terminal.say('no jobs so far; "fanloop run" starts one');
      else await terminal.data(`${tableOf(lines)}\n`);
    });
}

async function describe(store: ObjectStore, manifest: Manifest, summary: Summary | undefined): Promise<JobLine> {
  const tick = summary === undefined ? await lastTick(store, await newestFolder(store, manifest.jobId)) : undefined;
  const totals = summary?.totals ?? tick?.totals;
  return {
    jobId: manifest.jobId,
    task: manifest.task,
    state: summary?.end ?? 'running',
    settled: totals === undefined ? 0 : digestItems(totals),
    items: summary?.items ?? tick?.cut.items ?? 0,
    failed: totals?.failed ?? 0,
    startedAt: manifest.createdAt,
  };
}

const tableOf = (lines: readonly JobLine[]): string =>
  table([
    ['JOB', 'TASK', 'STATE', 'ITEMS', 'FAILED', 'STARTED'],
    ...lines.map(({ jobId, task, state, settled, items, failed, startedAt }) => [
      jobId,
      task,
      state,
      state === 'running' ? `${count(settled)}/${count(items)}` : count(items),
      count(failed),
      localTime(startedAt),
    ]),
  ]);

/** A moment in the person's own time zone, in an order that sorts. */
const localTime = (iso: string): string =>
  new Date(iso).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
