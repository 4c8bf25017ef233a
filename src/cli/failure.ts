import { UsageError } from '../task/errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { Interrupted } from './interrupt.ts';
import { JobPaused } from './jobs/job-paused.ts';
import type { Terminal } from './terminal.ts';

/** Says an error in one sentence and answers the exit code for it. */
export function reportFailure(error: unknown, terminal: Terminal, env: NodeJS.ProcessEnv = process.env): ExitCode {
  if (error instanceof Interrupted) {
    if (error.message !== '') terminal.say(error.message);
    return exitCodes.interrupted;
  }
  if (error instanceof JobPaused) {
    terminal.say(error.message);
    return exitCodes.paused;
  }
  const name = terminal.paint('red', 'fanloop:');
  if (error instanceof UsageError) {
    terminal.say(`${name} ${oneLine(error.message)}`);
    if (env['FANLOOP_DEBUG'] === '1') terminal.say(error.stack ?? '');
    return exitCodes.usage;
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  terminal.say(`${name} ${oneLine(message)}`);
  if (env['FANLOOP_DEBUG'] === '1') terminal.say(error instanceof Error ? (error.stack ?? '') : '');
  else terminal.say('FANLOOP_DEBUG=1 shows the stack');
  return exitCodes.failed;
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');
