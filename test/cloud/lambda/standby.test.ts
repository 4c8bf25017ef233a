import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RuntimeProcess, startRuntime } from '../../../src/cloud/lambda/process.ts';
import { type Reaper, startReaper } from '../../../src/cloud/lambda/reaper.ts';
import type { FromRuntime } from '../../../src/cloud/lambda/runtime-protocol.ts';
import type { SpawnOptions } from '../../../src/cloud/lambda/spawn-runtime.ts';
import { endStandby, startStandby } from '../../../src/cloud/lambda/standby.ts';
import { temporaryFolder } from '../../support/embedded-stack.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let reaper: Reaper;
let file: string;
let early: SpawnOptions;
const running: RuntimeProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  reaper = startReaper();
  file = path.join(folder.path, 'early.mjs');
  await writeFile(file, 'globalThis.loadedEarly = process.env.GIVEN ?? "without it";');
  await writeFile(
    path.join(folder.path, 'index.mjs'),
    `const when = process.env.GIVEN;
     export const handler = async () => ({ when, early: globalThis.loadedEarly, arguments: process.argv.length, variables: process.env });`,
  );
  early = { cwd: folder.path, memoryMb: 256, variables: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', OTHER: 'same' } };
});

afterEach(async () => {
  endStandby();
  for (const each of running) each.kill();
  await Promise.all(running.splice(0).map(({ exited }) => exited));
  await reaper.close();
  await folder[Symbol.asyncDispose]();
});

const wanted = (): SpawnOptions => ({
  ...early,
  variables: { ...early.variables, GIVEN: 'now', _HANDLER: 'index.handler', LAMBDA_TASK_ROOT: folder.path },
});

/** Starts an environment's process and invokes it once. */
async function invoke(options: SpawnOptions): Promise<{ readonly pid: number | undefined; readonly value: unknown }> {
  const answers: Array<(message: FromRuntime) => void> = [];
  const next = (): Promise<FromRuntime> => new Promise((resolve) => answers.push(resolve));
  const ready = next();
  const events = { message: (message: FromRuntime) => answers.shift()?.(message), line: () => {}, outputEnd: () => {} };
  const runtime = startRuntime({ ...options, reaper, events });
  running.push(runtime);
  expect(await ready).toEqual({ type: 'ready' });
  const done = next();
  runtime.send({
    requestId: 'one',
    payload: '{}',
    deadlineMs: 0,
    functionArn: 'arn',
    traceHeader: 'Root=1',
    places: { held: 1, least: 1 },
  });
  const answer = await done;
  return { pid: runtime.pid, value: answer.type === 'done' ? JSON.parse(answer.payload) : answer };
}

const gone = async (pid: number | undefined): Promise<void> => {
  await expect.poll(() => pid === undefined || !existsSync(`/proc/${pid}`), { timeout: 60_000 }).toBe(true);
};

describe('a process that stands by', () => {
  it('becomes the first environment, with its variables and no others; the handler loads only then', async () => {
    const pid = startStandby({ ...early, file });
    const first = await invoke(wanted());
    expect(first).toMatchObject({ pid, value: { when: 'now', early: 'without it', arguments: 2 } });
    // As one that was started for it, but for the ids of each invocation.
    const second = await invoke(wanted());
    expect(second.pid).not.toBe(pid);
    expect(second.value).toEqual({ ...(first.value as object), early: undefined });
  });

  it.each([
    ['another folder', () => ({ ...wanted(), cwd: path.join(folder.path, 'other') })],
    ['other memory', () => ({ ...wanted(), memoryMb: 128 })],
    [
      'another variable that it was started with',
      () => ({ ...wanted(), variables: { ...wanted().variables, OTHER: 'not' } }),
    ],
    ['options of Node', () => ({ ...wanted(), variables: { ...wanted().variables, NODE_OPTIONS: '--no-warnings' } })],
  ])('is ended where the environment has %s', async (_, options) => {
    await mkdir(path.join(folder.path, 'other'));
    const pid = startStandby({ ...early, file });
    const { pid: taken, value } = await invoke(options());
    expect(taken).not.toBe(pid);
    expect(value).toMatchObject({ when: 'now' });
    expect(value).not.toHaveProperty('early');
    await gone(pid);
  });

  it('fails nobody when what it loads is broken, or is not there', async () => {
    await writeFile(file, 'throw new Error("broken");');
    const pid = startStandby({ ...early, file });
    expect(await invoke(wanted())).toMatchObject({ pid, value: { when: 'now' } });
    startStandby({ ...early, file: path.join(folder.path, 'absent.mjs') });
    expect(await invoke(wanted())).toMatchObject({ value: { when: 'now' } });
  });

  it.each(['SIGKILL', 'exit'])('goes with the process that started it, by %s', async (way) => {
    const module = pathToFileURL(path.resolve(import.meta.dirname, '../../../src/cloud/lambda/standby.ts')).href;
    const script = `
      const { startStandby } = await import('${module}');
      console.log(startStandby(${JSON.stringify({ ...early, file })}));
      ${way === 'exit' ? 'process.exit(0)' : 'setInterval(() => {}, 1_000)'};`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = await once(starter.stdout, 'data');
    if (way === 'SIGKILL') starter.kill(way);
    await once(starter, 'exit');
    await gone(Number(text));
  });
});
