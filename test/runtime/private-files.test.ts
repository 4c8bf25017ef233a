import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeFolders } from '../../src/runtime/private-files.ts';

/** What another process does in the moment after a folder could not be made. */
const meanwhile = vi.hoisted(() => ({ act: undefined as (() => void) | undefined }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    mkdirSync: (...given: Parameters<typeof fs.mkdirSync>) => {
      try {
        return fs.mkdirSync(...given);
      } catch (error) {
        const { act } = meanwhile;
        meanwhile.act = undefined;
        act?.();
        throw error;
      }
    },
  };
});

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'fanloop-folders-'));
});
afterEach(() => rmSync(base, { recursive: true }));

it('makes those above, with the mode that is asked for', () => {
  makeFolders(path.join(base, 'a/b/c'), { mode: 0o700 });
  for (const folder of ['a', 'a/b', 'a/b/c']) expect(statSync(path.join(base, folder)).mode & 0o777).toBe(0o700);
  makeFolders(path.join(base, 'a/b/c'));
});

it.each(['a', 'a/b', 'a/b/c'])('makes a folder also where another process makes %s at the same moment', (made) => {
  meanwhile.act = () => mkdirSync(path.join(base, made), { recursive: true });
  makeFolders(path.join(base, 'a/b/c'));
  expect(statSync(path.join(base, 'a/b/c')).isDirectory()).toBe(true);
});

it('refuses a folder below a file', () => {
  expect(() => makeFolders(path.join(import.meta.filename, 'below'))).toThrow(/ENOTDIR/);
});

it.runIf(process.platform === 'linux')('refuses a folder where the one above takes none', () => {
  expect(() => makeFolders('/proc/none/below')).toThrow(/ENOENT/);
});
