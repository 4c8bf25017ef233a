import type { Row } from '../format/outcome.ts';

/** An item without a value stands where values are wanted: `results()` gives its row instead of throwing. */
export class ItemFailed extends Error {
  /** The item's own code, as `Timeout`, or `Cancelled`. */
  readonly code: string;
  readonly jobId: string;
  readonly index: number;
  /** The item's recorded outcome. */
  readonly row: Exclude<Row, { readonly status: 'succeeded' }>;

  constructor(jobId: string, row: Exclude<Row, { readonly status: 'succeeded' }>) {
    const why = row.status === 'failed' ? `failed: ${row.error.message}` : 'was cancelled';
    super(`item ${row.index} of job ${jobId} ${why}`);
    this.name = 'ItemFailed';
    this.code = row.status === 'failed' ? row.error.code : 'Cancelled';
    this.jobId = jobId;
    this.index = row.index;
    this.row = row;
  }
}
