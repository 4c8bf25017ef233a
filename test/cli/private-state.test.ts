import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, runCli } from './cli-process.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** What others than the owner may read, write, or enter, of files that hold something. */
async function openToOthers(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const { mode, size } = await stat(path.join(entry.parentPath, entry.name));
    if ((mode & 0o077) !== 0 && (entry.isDirectory() || size > 0)) found.push(entry.name);
  }
  return found;
}

it('keeps items, rows, and logs for the eyes of their owner, also in a folder of an earlier version', async () => {
  const state = folder.at('state');
  for (const name of ['s3', 'logs', 'asked']) {
    await mkdir(path.join(state, name), { recursive: true });
    await chmod(path.join(state, name), 0o755);
  }
  const input = folder.at('input.ndjson');
  // Large enough to go into the store in several writes.
  const item = JSON.stringify({ delayMs: 0, message: 'secret '.repeat(10_000) });
  await writeFile(input, `${item}\n`.repeat(100));
  const out = folder.at('rows.ndjson');
  const { code } = await runCli(['run', 'say-after', '--input', input, '--out', out, '--state', state]);
  expect(code).toBe(0);
  expect(await readdir(path.join(state, 's3'))).toHaveLength(1);
  expect(await openToOthers(state)).toEqual([]);
  // What the person asked for follows their own umask.
  expect((await stat(out)).mode & 0o777).toBe(0o666 & ~process.umask());
});

it('makes the state folder itself for its owner only', async () => {
  const state = folder.at('fresh');
  await runCli(['run', 'say-after', '{"delayMs":0,"message":"x"}', '--state', state]);
  expect((await stat(state)).mode & 0o777).toBe(0o700);
});
