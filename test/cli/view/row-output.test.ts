import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rowsToFile } from '../../../src/cli/view/row-output.ts';

const row = { index: 0, status: 'succeeded', value: '\ud800\u2028', attempts: 1, durationMs: 2 } as const;

describe('rowsToFile', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fanloop-rows-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('shows the file when it is complete, in the place of an older one', async () => {
    const file = path.join(folder, 'out.ndjson');
    await writeFile(file, 'old');
    const output = await rowsToFile(file);
    await output.write([row]);
    await output.write([{ ...row, index: 1 }]);
    await expect(readFile(file, 'utf8')).resolves.toBe('old');
    await output.finish();
    await output.discard();
    await expect(readFile(file, 'utf8')).resolves.toBe(
      `${JSON.stringify(row)}\n${JSON.stringify({ ...row, index: 1 })}\n`,
    );
    await expect(readdir(folder)).resolves.toEqual(['out.ndjson']);
  });

  it('makes an empty file of no rows', async () => {
    const output = await rowsToFile(path.join(folder, 'none.ndjson'));
    await output.finish();
    await expect(readFile(path.join(folder, 'none.ndjson'), 'utf8')).resolves.toBe('');
  });

  it('leaves nothing when it is discarded', async () => {
    const output = await rowsToFile(path.join(folder, 'out.ndjson'));
    await output.write([row]);
    await output.discard();
    await expect(readdir(folder)).resolves.toEqual([]);
  });

  it('writes to a device and leaves it where it is', async () => {
    const output = await rowsToFile('/dev/null');
    await output.write([row]);
    await output.finish();
    await expect(writeFile('/dev/null', 'x')).resolves.toBeUndefined();
  });

  it.each(['.', 'absent/out.ndjson'])('refuses %s', async (name) => {
    await expect(rowsToFile(path.join(folder, name))).rejects.toMatchObject({ code: 'MissingFile' });
  });
});
