import { settleRest } from '../folder/store-result.ts';
import { folderOf, type WorkMessage } from '../format/message.ts';
import type { WorkerDeps } from './deps.ts';

/** Fails what is left of a chunk that workers died with again and again: every job ends. */
export async function failRest(
  { store, log, writer }: Pick<WorkerDeps, 'store' | 'log' | 'writer'>,
  chunk: WorkMessage,
): Promise<void> {
  const { part, range, first, count, deaths = 0 } = chunk;
  const place = { part, chunk: chunk.chunk };
  const used = new Map(chunk.only ?? []);
  const message = `no worker stored an outcome: ${deaths} of them died while they had its chunk; see "fanloop logs"`;
  await settleRest(
    store,
    { job: folderOf(chunk), place, chunk: { start: range[0], end: range[1], first, count } },
    {
      writer,
      makeRow: (index) => ({
        index,
        status: 'failed',
        error: { code: 'DeadLetter', message, retryable: false },
        attempts: used.get(index) ?? 0,
        durationMs: 0,
      }),
    },
  );
  log('error', 'a chunk died: its unsettled items have failed', { jobId: chunk.job, ...place, deaths });
}
