import { format } from 'node:util';
import type { Log } from '../ports.ts';
import { itemScope } from '../worker/item-scope.ts';

/** At which level the log has what a method of `console` prints. */
const levels = { debug: 'info', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'error' } as const;

/** Says of what a task prints whose it is, so that the log of the job has it: `console.log` and the like within an item become lines of the log. */
export function attributeOutput(log: Log): void {
  for (const method of Object.keys(levels) as (keyof typeof levels)[]) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      const item = itemFields();
      if (item === undefined) print(...values);
      else log(levels[method], format(...values), item);
    };
  }
}

/** What says in a line of the log to which item the running code belongs. */
export function itemFields(): { readonly jobId: string; readonly index: number } | undefined {
  const scope = itemScope.getStore();
  if (scope === undefined) return undefined;
  const [jobId = '', index] = scope.idempotencyKey.split('/');
  return { jobId, index: Number(index) };
}
