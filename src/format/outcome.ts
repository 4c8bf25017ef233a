/** Why an item failed. */
export interface ItemError {
  /** The name under which it is counted (`HttpStatus429`): the same in a row, a summary, and a filter. */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly retryable: boolean;
  /** `file:line` of the task's own code that failed. */
  readonly at?: string;
  /** The beginning of the downstream's answer. */
  readonly body?: string;
}

/** What every row says of its item, beside how it ended. */
interface RowItem {
  readonly index: number;
  /** What passed with the item: the field that `--key` names, else its `id`. Absent where it has none. */
  readonly key?: string | number;
  /** The item as it was given, where the job was asked for it. */
  readonly item?: unknown;
}

/**
 * One item's one recorded outcome: a line of a result object. Times are milliseconds of the last attempt:
 * how long it took, and when it started, counted from the job's begin (absent in rows of older versions).
 */
export type Row = RowItem &
  (
    | {
        readonly status: 'succeeded';
        readonly value: unknown;
        readonly attempts: number;
        readonly durationMs: number;
        readonly at?: number;
      }
    | {
        readonly status: 'failed';
        readonly error: ItemError;
        readonly attempts: number;
        readonly durationMs: number;
        readonly at?: number;
      }
    | { readonly status: 'cancelled'; readonly attempts: number }
  );
