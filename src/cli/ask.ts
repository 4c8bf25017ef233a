import { createInterface } from 'node:readline/promises';
import { UsageError } from '../task/errors.ts';

/** Asks a yes-or-no question on the terminal; anything but yes is no. @throws UsageError when nobody is there to answer */
export async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError('InvalidOptions', 'expected --yes, because there is no terminal on which to ask');
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    lines.close();
  }
}
