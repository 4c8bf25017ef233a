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
  const said = error instanceof Error ? error.message || error.name : String(error);
  const message = /\b(?:EMFILE|ENFILE)\b/.test(said) ? tooManyFiles : said;
  terminal.say(`${name} ${oneLine(message)}`);
  if (env['FANLOOP_DEBUG'] === '1') terminal.say(error instanceof Error ? (error.stack ?? '') : '');
  else terminal.say('FANLOOP_DEBUG=1 shows the stack');
  return exitCodes.failed;
}

/** Whatever asked for one more says it in its own words, and none of them helps. */
const tooManyFiles =
  'expected to open one more file or connection, got EMFILE: too many are open; "ulimit -n 4096" raises the limit of this shell, and "fanloop watch" goes on with a job that had begun';

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');
