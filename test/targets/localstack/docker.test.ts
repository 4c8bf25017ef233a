import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dockerCommand } from '../../../src/targets/localstack/docker.ts';

describe('dockerCommand', () => {
  it('runs the last image without an account, on this machine only, and removes it at its end', () => {
    const { file, args } = dockerCommand(4600);
    expect(file).toBe('docker');
    expect(args).toContain('localstack/localstack:4.14.0');
    expect(args).toContain('127.0.0.1:4600:4600');
    expect(args.slice(0, 2)).toEqual(['run', '--rm']);
  });

  it('runs functions for arm64 on the processor of this machine', () => {
    expect(dockerCommand(4566).args.includes('LAMBDA_IGNORE_ARCHITECTURE=1')).toBe(process.arch !== 'arm64');
  });
});

describe("the container's command", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fanloop-docker-test-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** Runs the command that the container would, with a server of our own in the place of LocalStack's. */
  async function run(server: string) {
    const entrypoint = path.join(folder, 'docker-entrypoint.sh');
    await writeFile(entrypoint, `#!/bin/bash\n${server}\n`);
    await chmod(entrypoint, 0o755);
    const script = dockerCommand(4566).args.at(-1) ?? '';
    const child = spawn('/bin/sh', ['-c', script], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    const last = once(lines, 'line');
    return { child, last, exit: once(child, 'exit') };
  }

  it('ends the server in order when standard input ends', async () => {
    const { child, last, exit } = await run(
      `trap 'echo ended in order; exit 0' TERM; echo ready; while :; do read -t 1 <> <(:); done`,
    );
    child.stdin.end();
    expect(await last).toEqual(['ended in order']);
    expect(await exit).toEqual([0, null]);
  });

  it('ends with the server when that ends by itself', async () => {
    const { exit } = await run('echo ready; echo no luck; exit 7');
    expect(await exit).toEqual([7, null]);
  });
});
