import { styleText } from 'node:util';

/** Colours and weights that the command line uses. */
export type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** Where a command writes: data to stdout, everything said to a person to stderr. */
export interface Terminal {
  /** Writes data to stdout and waits for room; resolves to false when nobody reads it any more, or nobody can take it. */
  data(data: string | Uint8Array): Promise<boolean>;
  /** Why stdout could not take data, as on a full disk; a reader that went away is no failure. */
  readonly dataFailure: Error | undefined;
  /** Writes one line to stderr. */
  say(line: string): void;
  /** Writes to stderr as it is, to redraw a line in place. */
  draw(text: string): void;
  /** Styles text for stderr, or leaves it plain where colours are not wanted (NO_COLOR, no terminal). */
  paint(style: Style, text: string): string;
  /** Stdout is a screen, not a pipe or file. */
  readonly dataIsSeen: boolean;
  /** Stderr is a screen on which a line can be redrawn. */
  readonly canRedraw: boolean;
  /** Width of stderr in characters. */
  columns(): number;
}

const usualColumns = 80;

/** The process's own streams; a reader that went away (EPIPE), or a full disk behind it, ends the output, not the command. */
export function openTerminal(env: NodeJS.ProcessEnv = process.env): Terminal {
  const { stdout, stderr } = process;
  let ended = false;
  let failure: Error | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    ended = true;
    if (error.code !== 'EPIPE') failure ??= error;
  });
  // What cannot be said is not worth ending the work for.
  stderr.on('error', () => {});
  return {
    data: (data) =>
      new Promise((resolve) => {
        if (ended) resolve(false);
        else stdout.write(data, (error) => resolve(!(error instanceof Error)));
      }),
    get dataFailure() {
      return failure;
    },
    say: (line) => void stderr.write(`${line}\n`),
    draw: (text) => void stderr.write(text),
    paint: (style, text) => styleText(style, text, { stream: stderr }),
    dataIsSeen: stdout.isTTY === true,
    canRedraw: stderr.isTTY === true && env['TERM'] !== 'dumb',
    // A terminal that does not know its width says 0.
    columns: () => stderr.columns || usualColumns,
  };
}
