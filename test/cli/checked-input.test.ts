import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, runCli } from './cli-process.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

it('validates each item where it is read and where it runs, and not once more where the input is cut', async () => {
  const project = folder.at('project');
  const seen = folder.at('seen');
  await mkdir(`${project}/tasks`, { recursive: true });
  await writeFile(`${project}/package.json`, '{"name":"project","type":"module"}');
  await writeFile(
    `${project}/tasks/count.ts`,
    `import { appendFileSync } from 'node:fs';
import { defineTask } from 'fanloop';
const validate = (value: unknown) => {
  appendFileSync(${JSON.stringify(seen)}, JSON.stringify({ handler: process.env['_HANDLER'] ?? 'command', value }) + '\\n');
  return { value };
};
export const task = defineTask({ description: 'A test', input: { '~standard': { version: 1 as const, vendor: 'test', validate } }, run: () => 1 });
`,
  );
  await writeFile(folder.at('items.ndjson'), Array.from({ length: 30 }, (_, n) => `${n}\n`).join(''));
  const args = ['run', 'count', '--input', folder.at('items.ndjson'), '--state', folder.at('state')];
  const ended = await runCli(args, { cwd: project, env: { XDG_CACHE_HOME: folder.at('cache') } });
  expect(ended).toMatchObject({ code: 0 });
  const counts: Record<string, number> = {};
  for (const line of (await readFile(seen, 'utf8')).trim().split('\n')) {
    const { handler } = JSON.parse(line) as { handler: string };
    counts[handler] = (counts[handler] ?? 0) + 1;
  }
  expect(counts).toEqual({ command: 30, 'worker.handler': 30 });
});
