import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says how the command ended; `ok` unless it is called. */
  readonly finish: (code: ExitCode) => void;
}

/** Gives a command its arguments, options, and action: what each file in `commands/` exports as `define`. */
export type DefineCommand = (command: Command, context: CommandContext) => void;
