import { readJobRows } from '../../folder/passes.ts';
import { reasonOf } from '../../format/digest.ts';
import type { Summary } from '../../format/summary.ts';
import type { ObjectStore } from '../../ports.ts';
import type { FailedExample } from './report.ts';

/** Reasons of which a report shows an example. */
const wanted = 5;
/** Examples are not worth reading a large job's rows. */
const rowsRead = 10_000;

/** The first failed item of each reason of an ended job, as examples; those that are among its first rows. */
export async function firstFailures(store: ObjectStore, summary: Summary): Promise<readonly FailedExample[]> {
  const examples: FailedExample[] = [];
  if (summary.totals.failed === 0) return examples;
  const reasons = new Set<string>();
  const most = Math.min(wanted, Object.keys(summary.totals.codes).length);
  let read = 0;
  for await (const rows of readJobRows(store, summary.jobId)) {
    for (const row of rows) {
      if (row.status !== 'failed' || reasons.has(reasonOf(row.error))) continue;
      reasons.add(reasonOf(row.error));
      examples.push({ index: row.index, error: row.error });
      if (examples.length === most) return examples;
    }
    read += rows.length;
    if (read >= rowsRead) break;
  }
  return examples;
}
