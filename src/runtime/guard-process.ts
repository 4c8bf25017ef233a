import { limits } from '../limits.ts';
import type { Log } from '../ports.ts';
import { chargeFaults } from './item-faults.ts';
import { type LoopLimits, type LoopWatchdog, startLoopWatchdog } from './loop-watchdog.ts';
import { ProcessRescue } from './process-rescue.ts';

/** An item that blocks the loop and cannot be met has the process end after so many times of what it may: it is found apart. */
const endAfter = 1.5;

/** What stands between an item and everybody else in its process. */
interface Guard {
  readonly rescue: ProcessRescue;
  readonly watchdog: LoopWatchdog;
  /** What the process may have. */
  readonly memoryMb: number;
}

/** Guards the process of a function in which items run against what one of them does; its other parts are beside `moduleUrl`. */
export function guardProcess(of: {
  readonly loopLimits: LoopLimits;
  readonly log: Log;
  readonly moduleUrl: string;
}): Guard {
  chargeFaults(of.log);
  const rescue = new ProcessRescue(of.moduleUrl);
  const memoryMb = Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? limits.workerMemoryMb);
  const store = (isEnd: boolean): void => rescue.store({ isEnd });
  const watchdog = startLoopWatchdog({ ...of.loopLimits, endAfter, rescue: { memoryMb, store } });
  return { rescue, watchdog, memoryMb };
}
