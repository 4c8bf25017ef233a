import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineCounter, linesWith } from '../../../src/connectors/files/file-lines.ts';

async function* blocksOf(parts: readonly string[]): AsyncGenerator<Buffer> {
  // Each block in memory of its own, as a socket or a file gives it.
  for (const part of parts) yield Buffer.concat([Buffer.from(part)]);
}

const part = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 12 });

test('the lines that contain a text are those of a plain split, wherever the blocks are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part),
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }),
      async (parts, text) => {
        const kept = Buffer.concat(await Array.fromAsync(linesWith(blocksOf(parts), text))).toString();
        const lines = parts.join('').match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(kept).toBe(lines.filter((line) => line.includes(text)).join(''));
      },
    ),
  );
});

test('lines are counted as a plain split counts them, wherever the blocks are cut', () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const counter = new LineCounter();
      for (const text of parts) counter.add(Buffer.from(text));
      expect(counter.lines).toBe((parts.join('').match(/[^\n]*\n|[^\n]+$/g) ?? []).length);
    }),
  );
});
