import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadedFile } from '../bundle/guarded-load.ts';
import { ownPackage } from '../bundle/own-package.ts';
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
  // What a task's file started while it was loaded may break later.
  process.on('uncaughtException', (error) => {
    const file = loadedFile();
    if (file === undefined) process.exit(reportFailure(error, terminal));
    terminal.say(`fanloop: ${file} threw an exception after it was loaded, and nobody caught it: ${String(error)}`);
  });
  try {
    await runProgram(argv, { terminal, signal, finish }, version());
    if (terminal.dataFailure !== undefined) throw outputFailure(terminal.dataFailure);
  } catch (error) {
    code = reportFailure(error, terminal);
  }
  // Idle sockets of the SDK must not keep the command from ending.
  process.exit(code);
}

/** The work went on without its output, so what it says is where the results are. */
function outputFailure(cause: Error): Error {
  return new Error(
    `expected standard output to take everything, got ${cause.message}; the job's results stay: "fanloop results" writes them again`,
    { cause },
  );
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(ownPackage, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
