import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCountingServer } from '../contract/counting-server.ts';
import { makeFolder, parseLines, runCli } from './cli-process.ts';

const tasks = path.resolve(import.meta.dirname, '../contract/tasks');
let folder: Awaited<ReturnType<typeof makeFolder>>;
let downstream: Awaited<ReturnType<typeof startCountingServer>>;
beforeAll(async () => {
  folder = await makeFolder();
  downstream = await startCountingServer(() => 'live');
});
afterAll(async () => {
  await downstream.close();
  await folder.remove();
});

/** Two items are run by the fan-out itself, which one of them ends. */
it.each([
  ['exit', 'WorkerCrashed'],
  ['timer', 'WorkerCrashed'],
  ['loop', 'LoopBlocked'],
  ['rejection', 'UnhandledRejection'],
])('fails alone of two items when it harms the process by %s, as %s', async (how, code) => {
  const items = [0, 1].map((n) => ({ n, waitMs: 100, ask: downstream.url, ...(n === 1 ? { how } : {}) }));
  const input = folder.at(`${how}.ndjson`);
  const out = folder.at(`${how}.rows`);
  await writeFile(input, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const target = ['--state', folder.at('state'), '--tasks', tasks, '--workers', '2'];
  const { code: exitCode } = await runCli(['run', 'poison', '--input', input, '--out', out, '--quiet', ...target]);
  expect(exitCode).toBe(1);
  expect(parseLines(await readFile(out, 'utf8'))).toMatchObject([
    { index: 0, status: 'succeeded', value: 0 },
    { index: 1, status: 'failed', error: { code } },
  ]);
});
