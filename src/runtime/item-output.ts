import { format } from 'node:util';
import type { Log } from '../ports.ts';
import { chargeRejection, itemScope } from '../worker/item-scope.ts';

/** At which level the log has what a method of `console` prints. */
const levels = { debug: 'info', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'error' } as const;

/**
 * Says of what a task prints, and of the exception that ends its process, whose it is, so that the log of the job has it:
 * `console.log` and the like within an item become lines of the log.
 */
export function attributeOutput(log: Log): void {
  for (const method of Object.keys(levels) as (keyof typeof levels)[]) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      const item = itemFields();
      if (item === undefined) print(...values);
      else log(levels[method], format(...values), item);
    };
  }
  process.on('uncaughtExceptionMonitor', (error) => {
    log('error', 'an exception that nobody caught ends the process', { ...itemFields(), error: textOf(error) });
  });
}

/**
 * Charges rejections that nobody handled to their items, instead of ending the process with everybody's work: takes the place of the
 * handler that Lambda's runtime has, which ends the process. Node leaves such a process healthy.
 */
export function chargeStrayRejections(log: Log): void {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    const isCharged = chargeRejection(reason);
    log('error', isCharged ? 'an item left a rejection unhandled' : 'a rejection of no item was not handled', {
      ...itemFields(),
      error: textOf(reason),
    });
  });
}

/** What says in a line of the log to which item the running code belongs. */
function itemFields(): { readonly jobId: string; readonly index: number } | undefined {
  const scope = itemScope.getStore();
  if (scope === undefined) return undefined;
  const [jobId = '', index] = scope.idempotencyKey.split('/');
  return { jobId, index: Number(index) };
}

const textOf = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : format('%s', reason);
