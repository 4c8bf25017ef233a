import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';
import type { Line, LinesFrom } from './lines.ts';

const [newline, carriageReturn] = [0x0a, 0x0d] as const;

/**
 * Finds the lines of an input that our own client has checked and written: each ends with LF and none is blank, so that only line ends
 * are looked for. A block of lines at a time, since a turn of the microtask queue for each takes longer than finding it.
 *
 * @throws UsageError `InvalidInput` when the input is anything else
 */
export async function* plainLines(
  source: AsyncIterable<Uint8Array>,
  { offset = 0, lines = 0 }: LinesFrom = {},
): AsyncGenerator<ReadonlyArray<Omit<Line, 'bytes'>>> {
  let number = lines;
  let start = offset;
  let blockStart = offset;
  for await (const block of source) {
    requirePlain(!block.includes(carriageReturn), number + 1);
    const found: Array<Omit<Line, 'bytes'>> = [];
    for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, at + 1)) {
      const end = blockStart + at + 1;
      number++;
      requirePlain(end - start > 1 && end - start <= limits.maxItemBytes + 1, number);
      found.push({ number, start, end });
      start = end;
    }
    blockStart += block.length;
    yield found;
  }
  requirePlain(start === blockStart, number + 1);
}

function requirePlain(isPlain: boolean, line: number): void {
  if (isPlain) return;
  throw new UsageError(
    'InvalidInput',
    `line ${line}: expected the input as it was checked, got other lines under the mark of a checked one; start the job from a copy of it`,
  );
}
