import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'fanloop-local-code-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('lets several first commands of a project make its code at once', async () => {
  const source = new URL('../../src/bundle/local-code.ts', import.meta.url).href;
  const script = `const { localCode } = await import('${source}');
    console.log(localCode({ root: ${JSON.stringify(folder)}, tasks: undefined }, ${JSON.stringify(folder)}).folder);`;
  const run = async (): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    return stdout.trim();
  };
  const folders = new Set(await Promise.all(Array.from({ length: 6 }, run)));
  expect(folders.size).toBe(1);
  const [made = ''] = folders;
  expect(readdirSync(path.dirname(made))).toEqual([path.basename(made)]);
});
