import { readRows } from '../../folder/read-rows.ts';
import type { Summary } from '../../format/summary.ts';
import type { ObjectStore } from '../../ports.ts';
import type { FailedExample } from './report.ts';

/** Examples that a report shows. */
const wanted = 3;
/** Examples are not worth reading a large job's rows. */
const rowsRead = 10_000;

/** The first failed items of an ended job, as examples; none when they are not among its first rows. */
export async function firstFailures(store: ObjectStore, summary: Summary): Promise<readonly FailedExample[]> {
  const examples: FailedExample[] = [];
  if (summary.totals.failed === 0) return examples;
  let read = 0;
  for await (const rows of readRows(store, summary.jobId)) {
    for (const row of rows) {
      if (row.status === 'failed') examples.push({ index: row.index, error: row.error });
      if (examples.length === Math.min(wanted, summary.totals.failed)) return examples;
    }
    read += rows.length;
    if (read >= rowsRead) break;
  }
  return examples;
}
