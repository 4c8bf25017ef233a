import type { Clock, Log } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { ChildLoop } from '../worker/isolate/child-loop.ts';
import type { FromChild, ToChild } from '../worker/isolate/task-child.ts';
import { chargeFaults } from './item-faults.ts';
import { attributeOutput } from './item-output.ts';
import { type LoopLimits, startLoopWatchdog } from './loop-watchdog.ts';

/** Exit code of a child that an exception has ended: the one of Node itself. */
const fatalExitCode = 1;

/** Takes items from the parent process until it is gone; one that blocks the loop for longer than `loopLimits` fails. */
export function serveParent(deps: {
  readonly tasks: TaskRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly loopLimits: LoopLimits;
}): void {
  const exit = process.exit.bind(process);
  const post = async (message: FromChild): Promise<void> => {
    await new Promise<void>((sent) => process.send?.(message, undefined, undefined, () => sent()));
    if (message.type === 'fatal') exit(fatalExitCode);
  };
  const loop = new ChildLoop(deps, post);
  process.on('message', (message) => {
    // The parent of the same bundle wrote it. Who answers at once has said so before the next one begins, which may block the loop.
    setImmediate(() => void loop.take(message as ToChild));
  });
  process.on('disconnect', () => exit(0));
  process.on('uncaughtException', (error) => loop.fatal(error));
  attributeOutput(deps.log);
  chargeFaults(deps.log, { mayCharge: () => loop.isOneAlone });
  // A signal that ends the group is for the parent, which then hands over.
  process.on('SIGTERM', () => undefined);
  startLoopWatchdog({ ...deps.loopLimits, endAfter: 3 }).watch();
}
