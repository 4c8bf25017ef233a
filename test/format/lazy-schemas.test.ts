import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';

const made = vi.hoisted(() => [] as string[]);
// Each maker of a schema tells that it was called; what it makes is zod's own.
vi.mock('zod', async (importOriginal) => {
  const zod = await importOriginal<Readonly<Record<string, unknown>>>();
  const counted = ([name, maker]: readonly [string, unknown]) =>
    typeof maker === 'function' && /^[a-z]/.test(name)
      ? [
          name,
          (...given: readonly unknown[]) =>
            made.push(name) && (maker as (...of: readonly unknown[]) => unknown)(...given),
        ]
      : [name, maker];
  return Object.fromEntries(Object.entries(zod).map(counted));
});

it('no record, message, or limit has its schema made before one is read', async () => {
  const root = path.join(import.meta.dirname, '../../src');
  const files = ['format', 'task'].flatMap((folder) =>
    readdirSync(path.join(root, folder)).map((name) => path.join(root, folder, name)),
  );
  await Promise.all(files.filter((file) => file.endsWith('.ts')).map((file) => import(file)));
  expect(made).toEqual([]);
  const { tickFormat } = await import('../../src/format/tick.ts');
  expect(() => tickFormat.read({})).toThrow();
  const all = made.length;
  expect(all).toBeGreaterThan(0);
  expect(() => tickFormat.read({})).toThrow();
  expect(made).toHaveLength(all);
});
