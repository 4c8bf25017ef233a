import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, runCli } from './cli-process.ts';

const door = path.resolve(import.meta.dirname, '../../bin/fanloop.js');
let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

// Below 150 it refuses to begin; what runs out first above is another thing each time.
it.each([26, 40, 64, 150])('where only %i files may be open, it says so, and shows no stack', async (files) => {
  const command = `ulimit -n ${files}; exec "$0" "$@"`;
  const items = Array.from({ length: 2_000 }, () => '{"delayMs":1,"message":"x"}').join('\n');
  const args = ['run', 'say-after', '--input', '-', '--state', folder.at(`state-${files}`)];
  const { code, stderr } = await new Promise<{ readonly code: number; readonly stderr: string }>((resolve) => {
    const child = execFile('/bin/sh', ['-c', command, process.execPath, door, ...args], (error, _stdout, text) =>
      resolve({ code: Number(error?.code ?? 0), stderr: text }),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(items);
  });
  expect(stderr).not.toMatch(/^\s+at |node:events|undefined/m);
  if (files < 100)
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^fanloop: expected .*ulimit -n/),
    });
  else if (code !== 0) expect(stderr).toMatch(/^fanloop: expected .*ulimit -n/m);
});

it('runs with one worker, where deploying needs two', async () => {
  const items = ['a', 'b', 'c'].map((message) => JSON.stringify({ delayMs: 1, message }));
  const run = await runCli(['run', 'say-after', ...items, '--workers', '1', '--state', folder.at('one')]);
  expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining('3 succeeded') });
  const deploy = await runCli(['deploy', '--target', 'localstack', '--workers', '1']);
  expect(deploy).toMatchObject({ code: 2, stderr: expect.stringContaining('--workers to be a whole number from 2') });
});
