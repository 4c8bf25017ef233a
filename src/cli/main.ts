import { readFileSync } from 'node:fs';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { listenForInterrupt } from './interrupt.ts';
import { runProgram } from './program.ts';
import { openTerminal } from './terminal.ts';

/** The command line: runs the command that the process's arguments name, and ends the process with its exit code. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  const terminal = openTerminal();
  const { signal } = listenForInterrupt();
  let code: ExitCode = exitCodes.ok;
  const finish = (ended: ExitCode): void => {
    code = ended;
  };
  try {
    await runProgram(argv, { terminal, signal, finish }, version());
  } catch (error) {
    code = reportFailure(error, terminal);
  }
  // Idle sockets of the SDK must not keep the command from ending.
  process.exit(code);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
