import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('the demo runs 1,000 calls, accounts for every one, and leaves nothing behind', async () => {
  const temporary = await mkdtemp(path.join(tmpdir(), 'fanloop-demo-test-'));
  try {
    const script = path.resolve(import.meta.dirname, '../../src/cli/demo.ts');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, TMPDIR: temporary },
    });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/! 1,000 items in [^:]+: \d+ succeeded, \d failed\n {2}failed {4}HttpStatus/);
    expect(stderr).toMatch(/404/);
    expect(stderr).toMatch(/retries {3}[1-9]/);
    // Places are those of a task's own sources.
    expect(stderr).not.toMatch(/\.mjs:/);
    expect(stderr).toMatch(/of calls, \d+ at once on average/);
    expect(stderr).toContain('Each of the 1,000 items has one row');
    expect((await readdir(temporary)).filter((name) => name.startsWith('fanloop'))).toEqual([]);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});
