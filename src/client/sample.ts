import type { Random } from '../ports.ts';

/** Lines drawn at random from blocks of whole lines, and what all of them come to. */
export interface Sample {
  readonly lines: readonly string[];
  readonly items: number;
  readonly bytes: number;
}

const decoder = new TextDecoder();

/** Draws `size` lines with equal odds from a stream that is read once and never held (reservoir sampling); all of them, in their order, where there are no more. */
export async function drawLines(
  blocks: AsyncIterable<{ readonly bytes: Uint8Array; readonly items: number }>,
  size: number,
  random: Random,
): Promise<Sample> {
  const drawn: string[] = [];
  let items = 0;
  let bytes = 0;
  for await (const block of blocks) {
    bytes += block.bytes.length;
    const chosen = new Map<number, number>();
    for (let n = 0; n < block.items; n++) {
      const place = items < size ? items : Math.floor(random() * (items + 1));
      if (place < size) chosen.set(place, n);
      items++;
    }
    if (chosen.size === 0) continue;
    const lines = decoder.decode(block.bytes).split('\n');
    for (const [place, n] of chosen) drawn[place] = lines[n] ?? '';
  }
  return { lines: drawn, items, bytes };
}
