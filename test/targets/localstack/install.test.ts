import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { installLocalStack } from '../../../src/targets/localstack/install.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'fanloop-install-test-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

describe('installLocalStack', () => {
  it('says what it needs where neither Docker nor a recent Python is', async () => {
    vi.stubEnv('PATH', home);
    vi.stubEnv('PYENV_ROOT', home);
    await expect(installLocalStack({ home })).rejects.toThrow(
      'expected Docker, or Python 3.12 or newer in PATH or under pyenv, to run LocalStack with, got neither: install one of them',
    );
    expect(await readdir(home)).toEqual([]);
  });
});
