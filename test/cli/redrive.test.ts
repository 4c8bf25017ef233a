import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli, startCli } from './cli-process.ts';

/** Answers each path with it; until it is mended every fourth item is refused, and then slowly answered. */
const downstream = {
  mended: false,
  /** Answers by path. */
  answered: new Map<string, number>(),
  fortyAnswered: Promise.withResolvers<void>(),
};
let afterMending = 0;
const server = createServer((request, response) => {
  const path = request.url ?? '';
  const refused = !downstream.mended && Number(path.slice(1)) % 4 === 0;
  const answer = (): void => {
    response.statusCode = refused ? 422 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(path));
    if (refused || !downstream.mended) return;
    downstream.answered.set(path, (downstream.answered.get(path) ?? 0) + 1);
    if (++afterMending === 40) downstream.fortyAnswered.resolve();
  };
  if (downstream.mended) setTimeout(answer, 100);
  else answer();
});

let folder: Awaited<ReturnType<typeof makeFolder>>;
let url = '';
const state = (): readonly string[] => ['--state', folder.at('state')];

beforeAll(async () => {
  folder = await makeFolder();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  server.close();
  await folder.remove();
});

describe('fanloop redrive', () => {
  it('runs what failed of 1,000 items again, also when it is killed in the middle, and leaves one whole result set', async () => {
    const items = Array.from({ length: 1_000 }, (_, n) => `${JSON.stringify({ url: `${url}/${n}` })}\n`).join('');
    await writeFile(folder.at('items.ndjson'), items);
    const first = await runCli(['run', 'http', '--input', folder.at('items.ndjson'), '--json', ...state()]);
    expect(first.code).toBe(1);
    const summary = parseLines(first.stdout).at(-1) as { jobId: string };
    expect(summary).toMatchObject({ type: 'summary', totals: { succeeded: 750, failed: 250 } });
    const { jobId } = summary;

    const none = await runCli(['redrive', jobId, '--status', '503', ...state()]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('status 503, got none') });

    downstream.mended = true;
    const running = startCli(['redrive', jobId, '--status', '422', '--concurrency', '25', ...state()]);
    await running.said(/250 items run again/);
    await downstream.fortyAnswered.promise;
    running.child.kill('SIGKILL');
    await running.ended;

    const watched = await runCli(['watch', jobId, '--json', ...state()]);
    expect(watched.code, watched.stderr).toBe(0);
    expect(parseLines(watched.stdout).at(-1)).toMatchObject({
      type: 'summary',
      end: 'done',
      items: 1_000,
      passes: 1,
      totals: { succeeded: 1_000, failed: 0, codes: {} },
    });
    const { stdout } = await runCli(['results', jobId, ...state()]);
    const rows = parseLines(stdout) as Array<{ index: number; status: string; value: { body: unknown } }>;
    expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(rows.every(({ index, value }) => value.body === `/${index}`)).toBe(true);
    // Only what had failed ran again.
    expect(downstream.answered.size).toBe(250);
    expect([...downstream.answered.keys()].every((path) => Number(path.slice(1)) % 4 === 0)).toBe(true);
    const again = await runCli(['retry', ...state()]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('that failed, got none') });
  });

  it('chooses items by their code, and writes the rows of all of them', async () => {
    downstream.mended = false;
    const urls = [1, 2, 4].map((n) => `${url}/${n}`);
    const { code, stdout } = await runCli(['run', 'http', ...urls, '--json', ...state()]);
    expect(code).toBe(1);
    const { jobId } = parseLines(stdout).at(-1) as { jobId: string };
    const out = folder.at('again.csv');
    const chosen = ['--code', 'HttpStatus422', '--out', out, '--select', 'index,status,error.code'];
    expect(await runCli(['redrive', jobId, ...chosen, ...state()])).toMatchObject({ code: 1 });
    expect((await readFile(out, 'utf8')).split('\r\n')).toEqual([
      'index,status,error.code',
      '0,succeeded,',
      '1,succeeded,',
      '2,failed,HttpStatus422',
      '',
    ]);
  });
});
