import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEngine } from '../../src/bundle/engine.ts';
import { functionNames, registryFile } from '../../src/bundle/engine-parts.ts';

/** What a cold start may load, in bytes: each 100 KB are about 10 ms of a function with 1 GB. On AWS the SDK is in it, on this machine it is not. */
const most = 650 * 1_024;
const mostHere = 350 * 1_024;

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

const bytesOf = (files: ReadonlyMap<string, string>): number =>
  [...files.values()].reduce((sum, source) => sum + Buffer.byteLength(source), 0);

/** What a function imports by `import()` and knows by a word: its clients, which are others on this machine. */
function laterOf(folder: string, files: ReadonlyMap<string, string>, word: string): ReadonlyMap<string, string> {
  const later = [...files.values()].flatMap((source) => [...source.matchAll(/\bimport\("\.\/([^"]+)"\)/g)]);
  const found = [...new Set(later.map(([, file = '']) => file))]
    .map((file) => closure(folder, file))
    .filter((loaded) => [...loaded.values()].some((source) => source.includes(word)));
  return new Map(found.flatMap((loaded) => [...loaded]));
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
    const sdk = laterOf(folder, files, 'com.amazonaws.sqs');
    const here = laterOf(folder, files, 'AWS4-HMAC-SHA256 Credential=');
    // A child only runs items.
    expect([sdk.size > 0, here.size > 0]).toEqual(name === 'child' ? [false, false] : [true, true]);
    expect(bytesOf(new Map([...files, ...sdk]))).toBeLessThan(most);
    expect(bytesOf(new Map([...files, ...here]))).toBeLessThan(mostHere);
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
    expect(bytesOf(files)).toBeLessThan(250 * 1_024);
  },
);
