import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const here = new URL('.', import.meta.url);
const runtime = new URL('../runtime/', import.meta.url);

/** The names of CPython's cases in the sources of our tests. */
function claimed(): Set<string> {
  const files = readdirSync(here)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => new URL(name, here));
  const sources = [...files, new URL('thread-pool.test.ts', runtime)].map((file) => readFileSync(file, 'utf8'));
  return new Set(sources.join('\n').match(/\btest_\w+/g));
}

test('CPYTHON.md names as covered exactly the cases that tests name, and counts them rightly', () => {
  const page = readFileSync(new URL('CPYTHON.md', here), 'utf8');
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+\.py)` +\| +(\d+) \| +(\d+) \| +(\d+) \|$/gm)].map(([, file, ...counts]) => [
      file,
      counts.map(Number),
    ]),
  );
  const listed = new Set<string>();
  for (const [, file, section] of page.matchAll(/^## (\w+\.py)\n([^#]*)/gm)) {
    const [covered = '', others = ''] = (section ?? '').split('Do not apply:');
    const names = covered.match(/\btest_\w+/g) ?? [];
    const [cases, coveredCount, othersCount] = rows.get(file) ?? [];
    expect([file, names.length, cases]).toEqual([file, coveredCount, (coveredCount ?? 0) + (othersCount ?? 0)]);
    expect([file, othersCount === 0]).toEqual([file, others === '']);
    for (const name of names) listed.add(name);
  }
  const unknown = [...claimed()].filter((name) => !listed.has(name));
  const missing = [...listed].filter((name) => !claimed().has(name));
  expect({ unknown, missing }).toEqual({ unknown: [], missing: [] });
});
