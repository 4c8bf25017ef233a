import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, runCli, startCli } from './cli-process.ts';

/** Makes this Node as one that runs no TypeScript, so that the door hands over to the Node among the dependencies. */
const older = { nodeOptions: ['--no-strip-types'] };

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('on a Node that runs no TypeScript', () => {
  it('passes arguments, output, and exit code on', async () => {
    const { code, stdout, stderr } = await runCli(['run', 'htpp'], older);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('did you mean "http"?');
  });

  it('passes a signal on that only the outer process got', async () => {
    const item = '{"delayMs":10000,"message":"late"}';
    const running = startCli(['run', 'say-after', item, '--state', folder.at('state')], older);
    await running.said(/job \w{20}: 1 item/);
    running.child.kill('SIGTERM');
    await expect(running.ended).resolves.toMatchObject({
      code: 130,
      stderr: expect.stringContaining('stops with this process'),
    });
  });
});
