import type { Progress } from '../client/progress.ts';
import type { Cost } from '../folder/cost.ts';
import type { ControlReason } from '../format/control.ts';
import type { Summary } from '../format/summary.ts';
import type { JobLimits } from '../task/job-limits.ts';
import type { Terminal } from './terminal.ts';

/** What `--json` writes to stdout, one a line. */
export type CliEvent =
  | {
      readonly type: 'submitted';
      readonly jobId: string;
      readonly task: string;
      /** Absent when the input is an S3 object: the fan-out counts it. */
      readonly items?: number;
      readonly workers: number;
      readonly concurrency: number;
      readonly limits: JobLimits;
    }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'paused'; readonly jobId: string; readonly reason: ControlReason }
  | ({ readonly type: 'summary'; readonly costUsd: Cost } & Summary)
  | { readonly type: 'interrupted'; readonly jobId: string }
  | { readonly type: 'cancelling'; readonly jobId: string }
  | { readonly type: 'redriven'; readonly jobId: string; readonly items: number };

/** Writes an event, or drops it where none are wanted. */
export type EventWriter = (event: CliEvent) => void;

/** Writes events as NDJSON to stdout when `json` is true. */
export function eventWriter(terminal: Terminal, json: boolean | undefined): EventWriter {
  return (event) => {
    if (json === true) void terminal.data(`${JSON.stringify(event)}\n`);
  };
}
