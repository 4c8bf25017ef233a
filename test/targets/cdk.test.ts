import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cdkEnvironment, findCdk, runCdk } from '../../src/targets/cdk.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('cdkEnvironment', () => {
  const localStack = {
    endpoint: 'http://localhost:4566',
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'secret' },
  };

  it('names the endpoint by its address, so that buckets stand in the path', () => {
    expect(cdkEnvironment(localStack)).toMatchObject({
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
  });

  it("lets nothing of the person's own account reach another endpoint", () => {
    for (const name of ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_SESSION_TOKEN']) vi.stubEnv(name, 'mine');
    expect(Object.values(cdkEnvironment(localStack))).not.toContain('mine');
  });

  it("keeps the person's own settings for AWS", () => {
    vi.stubEnv('AWS_PROFILE', 'mine');
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    expect(cdkEnvironment({})).toMatchObject({ AWS_PROFILE: 'mine', AWS_REGION: 'eu-central-1' });
  });
});

describe('findCdk', () => {
  it('takes the one of the project before any other', () => {
    const project = mkdtempSync(path.join(tmpdir(), 'fanloop-cdk-test-'));
    try {
      for (const name of ['aws-cdk', 'aws-cdk-lib', 'constructs']) {
        const folder = path.join(project, 'node_modules', name);
        mkdirSync(path.join(folder, 'bin'), { recursive: true });
        writeFileSync(path.join(folder, 'package.json'), '{}');
        writeFileSync(path.join(folder, 'bin', 'cdk'), '');
      }
      const below = path.join(project, 'some', 'folder');
      expect(findCdk(below)).toBe(path.join(realpathSync(project), 'node_modules', 'aws-cdk', 'bin', 'cdk'));
    } finally {
      rmSync(project, { recursive: true });
    }
  });

  it("takes this package's own where the project has none", () => {
    expect(findCdk('/')).toMatch(/node_modules\/aws-cdk\/bin\/cdk$/);
  });
});

describe('runCdk', () => {
  it('quotes what the CDK says when it fails', async () => {
    await expect(runCdk(['deploy', 'Nothing', '--app', '/does/not/exist'], { connection: {} })).rejects.toThrow(
      /^expected "cdk deploy" to succeed, got exit code 1:\n[\s\S]*does\/not\/exist/,
    );
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(runCdk(['--version'], { connection: {}, signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
