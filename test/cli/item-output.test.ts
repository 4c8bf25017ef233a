import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli } from './cli-process.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
  await mkdir(folder.at('tasks'));
  await writeFile(folder.at('package.json'), '{"type":"module"}');
  await writeFile(
    folder.at('tasks/boom.ts'),
    `import { setTimeout as sleep } from 'node:timers/promises';
     import { defineTask } from 'fanloop';
     const input = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
     export const task = defineTask({
       description: 'Breaks', input, example: 'well', run: async (what) => {
         console.log('printed %s', what, { deep: [1] });
         if (what === 'leaks') void Promise.reject(new Error('leaked boom'));
         if (what === 'throws') setTimeout(() => { throw new Error('thrown boom'); }, 1);
         await sleep(50);
         console.error('still here', what);
         return what;
       },
     });`,
  );
});
afterAll(() => folder.remove());

it.each([
  ['one item', ['throws'], 0],
  ['a job that workers run', ['leaks', ...Array<string>(40).fill('well'), 'throws'], 40],
])('logs of %s show what the task printed, and how it broke, with the item', async (_what, items, succeeded) => {
  const at = { cwd: folder.at('.'), env: { XDG_CACHE_HOME: folder.at('cache') } };
  const input = items.map((item) => JSON.stringify(item)).join('\n');
  const run = await runCli(['run', 'boom', '--input', '-', '--format', 'ndjson', '--json'], { ...at, stdin: input });
  const summary = parseLines(run.stdout).at(-1) as { jobId: string };
  expect(summary).toMatchObject({ type: 'summary', totals: { succeeded, codes: { WorkerCrashed: 1 } } });

  const logs = await runCli(['logs', summary.jobId, '--json'], at);
  const lines = parseLines(logs.stdout) as Array<{ message: string; index?: number; error?: string }>;
  const last = items.length - 1;
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'info', message: 'printed throws { deep: [ 1 ] }', index: last }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: 'an exception that nobody caught fails its item',
      index: last,
      error: expect.stringMatching(/thrown boom\n.*tasks\/boom\.ts:8/),
    }),
  );
  if (last === 0) return;
  expect(lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'still here well', index: 1 }));
  expect(lines).toContainEqual(
    expect.objectContaining({ index: 0, error: expect.stringMatching(/leaked boom\n.*tasks\/boom\.ts:7/) }),
  );
});
