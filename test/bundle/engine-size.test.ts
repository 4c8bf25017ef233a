import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEngine } from '../../src/bundle/engine.ts';
import { functionNames, registryFile } from '../../src/bundle/engine-parts.ts';

/** What a cold start may load, in bytes: each 100 KB are about 10 ms of a function with 1 GB. */
const most = 650 * 1_024;

/** Files that load when one of them does, itself included: what is imported by `import()` waits until it is used. */
function closure(folder: string, entry: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    const source = readFileSync(path.join(folder, file), 'utf8');
    found.set(file, source);
    for (const [, other = ''] of source.matchAll(/(?:\bfrom|\bimport)\s*"(\.\/[^"]+)"/g))
      if (other !== registryFile) visit(path.basename(other));
  };
  visit(entry);
  return found;
}

it('imports zod as a namespace, which leaves out what is not used of it: 300 KB', async () => {
  const sources = await Array.fromAsync(glob('{src,lambdas}/**/*.ts'));
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter((file) => /^import \{.*\} from 'zod'/m.test(readFileSync(file, 'utf8')))).toEqual([]);
});

describe.each([...functionNames, 'child'])('the bundle of %s', (name) => {
  const { folder } = findEngine();
  const files = closure(folder, `${name}.mjs`);

  it(`loads at most ${most} bytes at a cold start`, () => {
    expect(files.size).toBeGreaterThan(1);
    // Each is looked for, read, and linked by itself: a third of a cold start where there were forty.
    expect(files.size).toBeLessThan(25);
    expect([...files.values()].reduce((sum, source) => sum + Buffer.byteLength(source), 0)).toBeLessThan(most);
  });

  it('leaves threads, DynamoDB, secrets, and the languages of zod until they are used, and operations that nobody uses for good', () => {
    const sources = [...files.values()].join('\n');
    expect(
      ['piscina', 'DynamoDB_20120810', 'AmazonSSM', 'Ungültige Eingabe', 'GetBucketTaggingRequest'].filter((word) =>
        sources.includes(word),
      ),
    ).toEqual([]);
  });
});

it('loads for a process that stands by all that the fan-out does but its own file', () => {
  const { folder } = findEngine();
  const early = closure(folder, 'standby.mjs');
  const missing = [...closure(folder, 'fan-out.mjs').keys()].filter((file) => !early.has(file));
  expect(missing).toEqual(['fan-out.mjs']);
});

it.each(['http', 'file', 'say-after'])(
  'loads the task %s, whose schema the command asks, without what its calls need',
  (name) => {
    const files = closure(findEngine().folder, `builtin-${name}.mjs`);
    expect([...files.values()].reduce((sum, source) => sum + Buffer.byteLength(source), 0)).toBeLessThan(250 * 1_024);
  },
);
