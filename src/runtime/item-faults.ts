import { syncBuiltinESMExports } from 'node:module';
import { format } from 'node:util';
import type { Log } from '../ports.ts';
import { chargeItem, describeStray, type ItemScope, itemScope } from '../worker/item-scope.ts';
import { itemFields } from './item-output.ts';

/** An item that throws more often from where nobody catches it has set a timer that will do so for ever: its process ends. */
const mostExceptions = 10;

/**
 * Charges to an item alone what it would do to everybody whose calls run in its process: rejections and exceptions that nobody
 * handles, and asking the process to end. Node leaves such a process healthy. Takes the place of the handlers that Lambda's runtime
 * has, which end the process; they get what is nobody's. An exception is an item's only while its attempt runs: later its scope may be
 * that of a socket which others use.
 *
 * @param options.mayCharge whether an exception may be charged at this moment; @default at any
 */
export function chargeFaults(log: Log, options: { readonly mayCharge?: () => boolean } = {}): void {
  const ending = { isNow: false };
  chargeRejections(log);
  refuseEnds(ending);
  chargeExceptions(log, { ending, ...options });
}

/** Whether the process ends now: then nobody is in the way of that. */
interface Ending {
  isNow: boolean;
}

function chargeRejections(log: Log): void {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    const item = chargeItem('UnhandledRejection', describeStray('rejected a promise that nobody handled', reason));
    log('error', item === undefined ? 'a rejection of no item was not handled' : 'an item left a rejection unhandled', {
      ...itemFields(),
      error: textOf(reason),
    });
  });
}

function chargeExceptions(
  log: Log,
  { ending, mayCharge = () => true }: { readonly ending: Ending; readonly mayCharge?: () => boolean },
): void {
  const others = process.listeners('uncaughtException');
  const thrown = new WeakMap<ItemScope, number>();
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (reason, origin) => {
    const item = itemScope.getStore();
    const count = item === undefined ? 0 : (thrown.get(item) ?? 0) + 1;
    if (item !== undefined) thrown.set(item, count);
    const isCharged = item !== undefined && item.isOver !== true && count <= mostExceptions && mayCharge();
    if (isCharged) chargeItem('WorkerCrashed', describeStray('threw an exception that nobody caught', reason));
    log('error', `an exception that nobody caught ${isCharged ? 'fails its item' : 'ends the process'}`, {
      ...itemFields(),
      error: textOf(reason),
    });
    if (isCharged) return;
    ending.isNow = true;
    for (const other of others) other(reason, origin);
    if (others.length === 0) process.exit(1);
  });
}

/** An item that asks its process to end has failed, and its code ends there by an exception. */
function refuseEnds(ending: Ending): void {
  const exit = process.exit.bind(process);
  const abort = process.abort.bind(process);
  const kill = process.kill.bind(process);
  const refuse = (what: string): void => {
    if (ending.isNow) return;
    const error = new Error(`expected the task to leave its process alone, got ${what}`);
    if (chargeItem('WorkerCrashed', describeStray(`called ${what}`, error)) !== undefined) throw error;
  };
  process.exit = (code) => {
    refuse(`process.exit(${code ?? ''})`);
    return exit(code);
  };
  process.abort = () => {
    refuse('process.abort()');
    return abort();
  };
  process.kill = (pid, signal) => {
    const isOwn = pid === 0 || Math.abs(pid) === process.pid;
    if (isOwn && signal !== 0) refuse(`process.kill(${pid}, ${signal ?? 'SIGTERM'})`);
    return kill(pid, signal);
  };
  // `import { exit } from 'node:process'` is the same.
  syncBuiltinESMExports();
}

const textOf = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : format('%s', reason);
