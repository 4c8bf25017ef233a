import type { Log } from '../ports.ts';
import { chargeRejection } from '../worker/item-scope.ts';

/**
 * Charges rejections that nobody handled to their items, instead of ending the process with everybody's work: takes the place of the
 * handler that Lambda's runtime has, which ends the process. Node leaves such a process healthy.
 */
export function chargeStrayRejections(log: Log): void {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    const isCharged = chargeRejection(reason);
    const error = reason instanceof Error ? reason.stack : String(reason);
    log('error', isCharged ? 'an item left a rejection unhandled' : 'a rejection of no item was not handled', {
      error,
    });
  });
}
