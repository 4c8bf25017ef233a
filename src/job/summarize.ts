import type { Manifest } from '../format/manifest.ts';
import type { Summary } from '../format/summary.ts';
import type { TickRecord } from '../format/tick.ts';

/** The summary of a job that has ended with `record`. */
export function summarize(manifest: Manifest, record: TickRecord): Summary {
  return {
    v: 1,
    jobId: manifest.jobId,
    ...(manifest.pass === undefined ? {} : { pass: manifest.pass }),
    task: manifest.task,
    end: record.end ?? 'done',
    items: record.cut.items,
    chunks: record.cut.chunks,
    totals: record.totals,
    ...(record.cancelledAt === undefined ? {} : { cancelledFromChunk: record.send[1] }),
    ...(record.problem === undefined ? {} : { problem: record.problem }),
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    messages: record.messages,
    turns: record.n + 1,
    createdAt: manifest.createdAt,
    endedAt: new Date(record.at).toISOString(),
    wallMs: Math.max(0, record.at - Date.parse(manifest.createdAt)),
    workerMemoryMb: manifest.workerMemoryMb,
  };
}
