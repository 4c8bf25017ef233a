import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { localCode } from '../../src/bundle/local-code.ts';
import { findProject } from '../../src/bundle/project.ts';
import { endStandby } from '../../src/cloud/lambda/standby.ts';
import { connect } from '../../src/targets/connect.ts';
import { standByFor } from '../../src/targets/standby.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fanloop-standby-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(() => {
  endStandby();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  [['run', 'http', '--input', 'urls.txt']],
  [['run', 'http', 'https://example.com', '--tasks', 'lambdas/tasks']],
  [['run', 'http', 'https://example.com', '--tasks=lambdas/tasks']],
])('starts a process for %j where its code has been made, and only there', (args) => {
  expect(standByFor(args)).toBeUndefined();
  localCode(findProject(process.cwd(), args.some((arg) => arg.startsWith('--tasks')) ? 'lambdas/tasks' : undefined));
  expect(standByFor(args)).toEqual(expect.any(Number));
});

it.each([
  [[]],
  [['--help']],
  [['run']],
  [['run', '--help']],
  [['run', 'http', '--help']],
  [['run', 'http', '-h']],
  [['run', 'http', 'https://example.com', '--target', 'aws']],
  [['run', 'http', 'https://example.com', '--target=localstack']],
  [['run', 'http', 'https://example.com', '--tasks', 'nowhere']],
  [['status']],
  [['results', 'http']],
  [['submit', 'http']],
])('starts none for %j', (args) => {
  localCode(findProject(process.cwd()));
  expect(standByFor(args)).toBeUndefined();
});

it('starts the very process that an embedded cloud needs, which takes it', async () => {
  localCode(findProject(process.cwd()));
  const pid = standByFor(['run', 'say-after', '{"delayMs":1,"message":"Hello"}']);
  await using fanloop = await connect({ state: path.join(folder, 'state') });
  expect(await fanloop.map('say-after', [{ delayMs: 1, message: 'Hello' }])).toEqual(['Hello']);
  // One that cannot be the fan-out's would have been ended, and this one ends with the cloud.
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await fanloop[Symbol.asyncDispose]();
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 60_000 }).toBe(false);
});
