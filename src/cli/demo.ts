import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestItems } from '../format/digest.ts';
import type { Summary } from '../format/summary.ts';
import { startSlowApi } from './demo/slow-api.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { listenForInterrupt } from './interrupt.ts';
import { openJobs } from './jobs/open-jobs.ts';
import { prepareSource } from './jobs/prepare.ts';
import { awaitJob, reportJob, startJob } from './jobs/run-job.ts';
import { loadTask } from './tasks.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** Calls of the demo. */
const calls = 1_000;
const seed = 7;

/** Runs the main job against a slow API on this machine, in a cloud that leaves nothing behind. */
async function demo(terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  const api = await startSlowApi({ seed });
  const state = await mkdtemp(path.join(tmpdir(), 'fanloop-demo-'));
  try {
    terminal.say(`A slow API answers at ${api.url}: 50 to 250 ms a call, some refused at first, a few 404.`);
    terminal.say('Starting the embedded cloud: SQS, S3, and Lambda on this machine.');
    const options = { target: 'embedded', state } as const;
    const job = await prepareSource(
      { taskName: 'http', task: await loadTask('http'), source: items(api.url) },
      { signal },
    );
    await using jobs = await openJobs(options, { resume: true, signal });
    const context = { ...jobs, terminal, options, signal, throwaway: true };
    const started = await startJob(context, job, { inline: true });
    const summary = await awaitJob(context, started);
    await reportJob(context, summary);
    let rows = 0;
    for await (const batch of started.batches({ signal })) rows += batch.length;
    return finish(terminal, summary, { rows, requests: api.requests() });
  } finally {
    await api.close();
    await rm(state, { recursive: true, force: true });
  }
}

function items(url: string) {
  return {
    kind: 'arguments',
    items: Array.from({ length: calls }, (_, i) => `${url}/items/${i}`),
  } as const;
}

/** Everything is well when each item has its one outcome; the 404s are outcomes too. */
function finish(
  terminal: Terminal,
  summary: Summary,
  seen: { readonly rows: number; readonly requests: number },
): ExitCode {
  const accounted = seen.rows === calls && summary.items === calls && digestItems(summary.totals) === calls;
  terminal.say('');
  if (!accounted) {
    terminal.say(`expected ${calls} rows, got ${seen.rows}`);
    return exitCodes.failed;
  }
  terminal.say(
    `Each of the ${calls.toLocaleString('en-US')} items has one row; the API saw ${seen.requests.toLocaleString('en-US')} requests.`,
  );
  terminal.say('Your own job:  npx fanloop run http --input urls.ndjson --out results.ndjson');
  return exitCodes.ok;
}

/** Ends the process with the demo's exit code. */
export async function main(): Promise<never> {
  const terminal = openTerminal();
  const { signal } = listenForInterrupt();
  const code = await demo(terminal, signal).catch((error: unknown) => reportFailure(error, terminal));
  process.exit(code);
}

if (import.meta.main) await main();
