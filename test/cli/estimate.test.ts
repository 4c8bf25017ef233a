import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, runCli } from './cli-process.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('fanloop estimate', () => {
  it('runs some items for real, says what all of them come to, and leaves no job behind', {
    timeout: 60_000,
  }, async () => {
    const items = Array.from({ length: 50_000 }, (_, n) => JSON.stringify({ delayMs: 100, message: `m${n}` }));
    await writeFile(folder.at('items.ndjson'), `${items.join('\n')}\n`);
    const state = ['--state', folder.at('state')];
    const given = ['estimate', 'say-after', '--input', folder.at('items.ndjson'), '--trial', '20', '--quiet'];
    const { code, stdout, stderr } = await runCli([...given, ...state]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^50,000 items of say-after, by 20 that were run\n/);
    expect(stdout).toMatch(/\n {2}time {6}about \d+ s with 5 workers × 100 calls = up to 500 calls at once\n/);
    expect(stdout).toMatch(/\n {2}cost {6}about \$0\.00\d+ on AWS \(Lambda \$[\d.]+, SQS \$[\d.]+, S3 \$[\d.]+\)\n/);
    expect(stdout).toMatch(/\n {2}assumed .*\n.*as of \d{4}-\d\d-\d\d/);
    expect((await runCli(['jobs', ...state])).stdout).toBe('');
  });
});
