import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, parseLines, runCli, startCli } from './cli-process.ts';

/** Answers what it was sent: its hash when it is long, 404 for `/missing`, and after a while what is `/slow/`. */
const echo = createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request));
  const [, group] = /^\/slow\/(\w+)\//.exec(request.url ?? '') ?? [];
  if (group !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    // Who leaves waits for its calls, and breaks off at last.
    if (response.destroyed) return;
    slow(group).answered.push(request.url ?? '');
    if (slow(group).answered.length === 8) slow(group).eight.resolve();
  }
  response.statusCode = request.url === '/missing' ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(body.length > 10_000 ? JSON.stringify(hash(body.toString())) : body);
});
/** Slow requests of one test that were answered. */
const slowGroups = new Map<string, { answered: string[]; eight: PromiseWithResolvers<void> }>();
function slow(group: string) {
  const known = slowGroups.get(group) ?? { answered: [], eight: Promise.withResolvers<void>() };
  slowGroups.set(group, known);
  return known;
}
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

let folder: Awaited<ReturnType<typeof makeFolder>>;
let url = '';
const state = (): readonly string[] => ['--state', folder.at('state')];

beforeAll(async () => {
  folder = await makeFolder();
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  url = urlOf(echo);
});
afterAll(async () => {
  echo.close();
  await folder.remove();
});

const urlOf = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return `http://127.0.0.1:${address.port}`;
};

const sayAfter = (count: number, delayMs: number): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ delayMs, message: `m${i}` })}\n`).join('');

/** A long job that was begun by a process of its own and left by it. */
async function leftJob(signal: NodeJS.Signals): Promise<{ jobId: string; code: number | null; stderr: string }> {
  const running = startCli(['run', 'say-after', '--input', '-', '--concurrency', '1', ...state()], {
    stdin: sayAfter(20, 300),
  });
  const jobId = await running.said(/job (\w{20}): 20 items/);
  running.child.kill(signal);
  const { code, stderr } = await running.ended;
  return { jobId, code, stderr };
}

describe('fanloop run', () => {
  it('writes the rows in order to stdout, says the rest on stderr, and exits 0', async () => {
    const items = ['{"delayMs":400,"message":"Hello"}', '{"delayMs":10,"message":"World"}'];
    const { code, stdout, stderr } = await runCli(['run', 'say-after', ...items, ...state()]);
    expect(code).toBe(0);
    expect(parseLines(stdout)).toMatchObject([
      { index: 0, status: 'succeeded', value: 'Hello', attempts: 1 },
      { index: 1, status: 'succeeded', value: 'World', attempts: 1 },
    ]);
    expect(stderr).toMatch(/^5 workers × 100 calls = up to 500 calls at once\njob \w{20}: 2 items\n/);
    expect(stderr).toMatch(/✓ 2 items in [\d.]+ m?s: 2 succeeded\n/);
    expect(stderr).not.toContain('\u001b');
  });

  it('exits 1 when items failed, with a row and a reason for each', async () => {
    const { code, stdout, stderr } = await runCli(['run', 'http', `${url}/`, `${url}/missing`, ...state()]);
    expect(code).toBe(1);
    expect(parseLines(stdout)).toMatchObject([
      { index: 0, status: 'succeeded' },
      { index: 1, status: 'failed', error: { status: 404, retryable: false }, attempts: 1 },
    ]);
    expect(stderr).toMatch(/! 2 items in [^:]+: 1 succeeded, 1 failed\n {2}failed {4}HttpStatus/);
    expect(stderr).toMatch(/index 1: .*404/);
  });

  it('writes events and nothing else to stdout with --json, and the rows to --out', async () => {
    const out = folder.at('json.ndjson');
    const { code, stdout, stderr } = await runCli([
      'run',
      'say-after',
      '{"delayMs":1,"message":"a"}',
      '--json',
      '--out',
      out,
      ...state(),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const events = parseLines(stdout);
    expect(events[0]).toMatchObject({ type: 'submitted', task: 'say-after', items: 1, workers: 5, concurrency: 500 });
    expect(events.at(-1)).toMatchObject({
      type: 'summary',
      end: 'done',
      items: 1,
      costUsd: { total: expect.any(Number) },
    });
    expect(events.slice(1, -1).every((event) => (event as { type: string }).type === 'progress')).toBe(true);
    expect(parseLines(await readFile(out, 'utf8'))).toHaveLength(1);
  });

  it('says nothing with --quiet but the rows', async () => {
    const { code, stdout, stderr } = await runCli([
      'run',
      'say-after',
      '{"delayMs":1,"message":"a"}',
      '--quiet',
      ...state(),
    ]);
    expect({ code, stderr, rows: parseLines(stdout).length }).toEqual({ code: 0, stderr: '', rows: 1 });
  });

  it('takes as many calls at once as it is told, whatever the number of workers', async () => {
    const { stderr } = await runCli([
      'run',
      'say-after',
      '{"delayMs":1,"message":"a"}',
      '--workers',
      '3',
      '--concurrency',
      '7',
      ...state(),
    ]);
    expect(stderr).toMatch(/^7 at once in all\n/);
  });

  it('passes odd but legal input unchanged', async () => {
    const bodies = [
      '"\u2028\u2029\uFFFE\uFFFF"',
      '"\\ud800 lone \\udfff"',
      '{"constructor":{"prototype":2}}',
      `${'['.repeat(500)}${']'.repeat(500)}`,
      '"twice"',
      '"twice"',
      '"😀 \\u0000 \\u001f"',
    ];
    const line = (body: string): string => `{"url":"${url}/","method":"POST","as":"text","body":{"v":${body}}}`;
    const large = line(JSON.stringify('é'.repeat(450_000)));
    const input = folder.at('odd.ndjson');
    await writeFile(input, `\uFEFF${bodies.map(line).join('\r\n\r\n \n')}\n${large}`);
    const { code, stdout } = await runCli(['run', 'http', '--input', input, ...state()]);
    expect(code).toBe(0);
    const echoed = parseLines(stdout).map((row) => (row as { value: { body: string } }).value.body);
    expect(echoed.slice(0, -1)).toEqual(bodies.map((body) => JSON.stringify({ v: JSON.parse(body) })));
    expect(echoed.at(-1)).toBe(JSON.stringify(hash(JSON.stringify({ v: 'é'.repeat(450_000) }))));
  });

  it('uploads a large input in parts', async () => {
    const texts = Array.from({ length: 24 }, (_, i) => String(i).repeat(850_000 / String(i).length));
    const input = folder.at('large.ndjson');
    await writeFile(
      input,
      texts.map((body) => `${JSON.stringify({ url: `${url}/`, method: 'POST', body })}\n`).join(''),
    );
    const { code, stdout } = await runCli(['run', 'http', '--input', input, '--concurrency', '5', ...state()]);
    expect(code).toBe(0);
    expect(parseLines(stdout)).toMatchObject(texts.map((text, index) => ({ index, value: { body: hash(text) } })));
  });

  it('leaves no job behind when a late line of a large input is refused', async () => {
    const text = JSON.stringify({ delayMs: 0, message: 'x'.repeat(900_000) });
    const input = folder.at('late.ndjson');
    await writeFile(input, `${`${text}\n`.repeat(12)}{"delayMs":-1,"message":""}\n`);
    const before = await runCli(['jobs', '--json', ...state()]);
    const { code, stdout, stderr } = await runCli(['run', 'say-after', '--input', input, '--quiet', ...state()]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`fanloop: ${input}, line 13: delayMs: expected milliseconds from 0\n`);
    await expect(runCli(['jobs', '--json', ...state()])).resolves.toMatchObject({ stdout: before.stdout });
  });

  it('reads a text a line from .txt, and an object that is in the bucket already', async () => {
    const input = folder.at('urls.txt');
    await writeFile(input, `${url}/a\r\n\n${url}/missing\n${url}/b`);
    const first = await runCli(['run', 'http', '--input', input, '--json', ...state()]);
    expect(parseLines(first.stdout).at(-1)).toMatchObject({ items: 3, totals: { succeeded: 2, failed: 1 } });
    const bucket = JSON.parse(await readFile(folder.at('state/outputs.json'), 'utf8')).BucketName;
    const { jobId } = parseLines(first.stdout)[0] as { jobId: string };
    const again = await runCli([
      'run',
      'http',
      '--input',
      `s3://${bucket}/jobs/${jobId}/input.ndjson`,
      '--json',
      ...state(),
    ]);
    expect(parseLines(again.stdout).at(-1)).toMatchObject({ items: 3, totals: { succeeded: 2, failed: 1 } });
    const absent = await runCli(['run', 'http', '--input', `s3://${bucket}/absent.ndjson`, '--quiet', ...state()]);
    expect(absent).toMatchObject({ code: 2, stdout: '' });
    expect(absent.stderr).toContain(`s3://${bucket}/absent.ndjson, got none`);
  });

  it('passes a key named __proto__ to the task', async () => {
    const item = `{"url":"${url}/","method":"POST","as":"text","body":{"__proto__":{"x":1}}}`;
    const { stdout } = await runCli(['run', 'http', item, '--quiet', ...state()]);
    expect(parseLines(stdout)).toMatchObject([{ value: { body: '{"__proto__":{"x":1}}' } }]);
  });

  it('loses nothing when nobody reads its output any more', async () => {
    const running = startCli(['run', 'say-after', '--input', '-', ...state()], { stdin: sayAfter(3_000, 1) });
    running.child.stdout?.destroy();
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/✓ 3,000 items/);
    const jobId = /job (\w{20})/.exec(stderr)?.[1] ?? '';
    const { stdout } = await runCli(['results', jobId, ...state()]);
    expect(parseLines(stdout).map((row) => (row as { index: number }).index)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });
});

describe('a job across processes', () => {
  it('is submitted by one, run by the next, and read by others', async () => {
    const submitted = await runCli(['submit', 'http', `${url}/`, `${url}/missing`, ...state()]);
    expect(submitted.code).toBe(0);
    expect(submitted.stdout).toMatch(/^\w{20}\n$/);
    const jobId = submitted.stdout.trim();
    expect(submitted.stderr).toContain(`fanloop watch ${jobId} --state `);

    const early = await runCli(['results', jobId, ...state()]);
    expect(early).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/is still running, .*--partial\n$/),
    });

    const watched = await runCli(['watch', jobId, ...state()]);
    expect(watched).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('1 succeeded, 1 failed') });

    const failed = await runCli(['results', jobId, '--failed', ...state()]);
    expect(failed.code).toBe(0);
    expect(parseLines(failed.stdout)).toMatchObject([{ index: 1, status: 'failed' }]);

    const status = await runCli(['status', ...state()]);
    expect(status).toMatchObject({ code: 0, stdout: `job ${jobId}: http, done\n` });
    const jobs = await runCli(['jobs', '--limit', '1', ...state()]);
    expect(jobs.stdout).toMatch(
      new RegExp(`^JOB .*\\n${jobId} +http +done +2 +1 +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\n$`),
    );
    const logs = await runCli(['logs', jobId, ...state()]);
    expect(logs.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}\S/);
    expect(await runCli(['logs', ...state()])).toEqual(logs);
  });

  it('stops at Ctrl-C with exit code 130, says how to go on, and goes on where it stopped', async () => {
    const { jobId, code, stderr } = await leftJob('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toContain(`job ${jobId} stops with this process: "fanloop watch ${jobId} --state `);
    const watched = await runCli(['watch', jobId, ...state()]);
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringContaining('✓ 20 items') });
    const { stdout } = await runCli(['results', jobId, ...state()]);
    expect(parseLines(stdout)).toMatchObject(Array.from({ length: 20 }, (_, index) => ({ index, value: `m${index}` })));
  });

  it('goes on after kill -9', async () => {
    const { jobId, code } = await leftJob('SIGKILL');
    expect(code).toBeNull();
    const watched = await runCli(['watch', jobId, ...state()]);
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringContaining('✓ 20 items') });
    const { stdout } = await runCli(['results', jobId, ...state()]);
    expect(parseLines(stdout).map((row) => (row as { index: number }).index)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('has nobody who holds its limits after kill -9, and what was under way is told as what it was', async () => {
    const running = startCli(
      ['run', 'say-after', '--input', '-', '--concurrency', '5', '--timeout', '60s', ...state()],
      {
        // Longer than anybody takes to look.
        stdin: sayAfter(40, 20_000),
      },
    );
    const jobId = await running.said(/job (\w{20}): 40 items/);
    const status = async (): Promise<string> => (await runCli(['status', jobId, ...state()])).stderr;
    while (!(await status()).includes('1 of 1 worker holds them')) expect(running.child.exitCode).toBeNull();
    running.child.kill('SIGKILL');
    await running.ended;
    expect(await status()).toMatch(
      /^0 of 1 worker hold them, 0 calls under way; [\d.]+ m?s ago, when it was last said, there were \d+$/m,
    );
    await expect(runCli(['cancel', jobId, ...state()])).resolves.toMatchObject({ code: 0 });
  });

  it('goes on beside the next job, which says so', async () => {
    const { jobId } = await leftJob('SIGINT');
    const { code, stderr } = await runCli(['run', 'say-after', '{"delayMs":1,"message":"next"}', ...state()]);
    expect(code).toBe(0);
    expect(stderr).toContain('1 unfinished job goes on beside this one');
    await expect(runCli(['cancel', jobId, ...state()])).resolves.toMatchObject({ code: 0 });
  });

  it('ends when it is cancelled, every item with an outcome', async () => {
    const { jobId } = await leftJob('SIGINT');
    const cancelled = await runCli(['cancel', jobId, ...state()]);
    expect(cancelled).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^cancelling job \w{20}\n.*! 20 items in /s),
    });
    const { code, stdout } = await runCli(['results', jobId, ...state()]);
    expect({ code, rows: parseLines(stdout).length }).toEqual({ code: 0, rows: 20 });
    await expect(runCli(['watch', jobId, ...state()])).resolves.toMatchObject({ code: 1 });
    await expect(runCli(['cancel', jobId, ...state()])).resolves.toMatchObject({
      code: 0,
      stderr: expect.stringContaining('had ended before'),
    });
  });

  it('has its rows written by watch where run was asked to, when run was interrupted', async () => {
    const out = folder.at('asked.ndjson');
    const running = startCli(['run', 'say-after', '--input', '-', '--out', out, ...state()], {
      stdin: sayAfter(30, 100),
    });
    const jobId = await running.said(/job (\w{20}): 30 items/);
    running.child.kill('SIGKILL');
    await running.ended;
    const watched = await runCli(['watch', jobId, ...state()]);
    expect(watched).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining(`30 rows in ${out}`) });
    expect(parseLines(await readFile(out, 'utf8'))).toHaveLength(30);
    const again = folder.at('again.ndjson');
    await expect(runCli(['watch', jobId, '--out', again, ...state()])).resolves.toMatchObject({ code: 0 });
    expect(await readFile(again, 'utf8')).toBe(await readFile(out, 'utf8'));
  });

  it('goes away when it is told to, once it has ended', async () => {
    const ended = await runCli(['run', 'say-after', '{"delayMs":1,"message":"a"}', '--json', ...state()]);
    const { jobId } = parseLines(ended.stdout)[0] as { jobId: string };
    const running = await runCli(['submit', 'say-after', '{"delayMs":1,"message":"a"}', ...state()]);
    const refused = await runCli(['rm', running.stdout.trim(), ...state()]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is still running; "fanloop cancel') });
    await expect(runCli(['rm', jobId, ...state()])).resolves.toMatchObject({ code: 0, stderr: 'removed 1 job\n' });
    await expect(runCli(['results', jobId, ...state()])).resolves.toMatchObject({ code: 2 });
    await expect(runCli(['rm', jobId, ...state()])).resolves.toMatchObject({ code: 2 });
    await expect(runCli(['rm', '--older-than', '1d', ...state()])).resolves.toMatchObject({
      code: 0,
      stderr: 'removed 0 jobs\n',
    });
    await expect(runCli(['cancel', running.stdout.trim(), ...state()])).resolves.toMatchObject({ code: 0 });
  });

  it('is not found where it is not', async () => {
    const jobId = '0123456789abcdefghjk';
    for (const command of ['watch', 'status', 'results', 'cancel']) {
      const { code, stdout, stderr } = await runCli([command, jobId, ...state()]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(`fanloop: expected the id of a job, got "${jobId}"; "fanloop jobs" lists them\n`);
    }
  });
});

describe('Ctrl-C', () => {
  it('while items are awaited starts no job', async () => {
    const running = startCli(['run', 'say-after', '--input', '-', ...state()], { keepsStdinOpen: true });
    // More than a pipe holds: when it is taken, the command reads, and it has listened for signals before.
    await new Promise((resolve) => running.child.stdin?.write(sayAfter(10_000, 1), resolve));
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: 'interrupted; no job was started\n' });
  });

  /** A job that was interrupted when some of its 60 calls were answered. */
  async function interrupted(group: string) {
    const { answered, eight } = slow(group);
    const urls = Array.from({ length: 60 }, (_, n) => `${url}/slow/${group}/${n}`);
    const running = startCli(['run', 'http', ...urls, '--concurrency', '2', ...state()]);
    await eight.promise;
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(answered.length).toBeLessThan(60);
    return { answered, kept: answered.length, jobId: /^job (\w{20})/m.exec(stderr)?.[1] ?? '' };
  }

  it('keeps what was answered: it counts when the job is cancelled', async () => {
    const { jobId, kept } = await interrupted('cancelled');
    const cancelled = await runCli(['cancel', jobId, '--json', ...state()]);
    expect(parseLines(cancelled.stdout).at(-1)).toMatchObject({
      type: 'summary',
      end: 'cancelled',
      totals: { succeeded: kept, cancelled: 60 - kept },
    });
  });

  it('keeps what was answered: it is not called again when the job goes on', async () => {
    const { jobId, answered } = await interrupted('watched');
    const watched = await runCli(['watch', jobId, ...state()]);
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringContaining('60 succeeded') });
    expect(answered).toHaveLength(60);
    expect(new Set(answered).size).toBe(60);
  });

  it('a second time ends the process at once', async () => {
    const running = startCli(['run', 'say-after', '--input', '-', '--concurrency', '1', ...state()], {
      stdin: sayAfter(20, 300),
    });
    const jobId = await running.said(/job (\w{20}): 20 items/);
    running.child.kill('SIGINT');
    running.child.kill('SIGINT');
    await expect(running.ended).resolves.toMatchObject({ code: 130 });
    await expect(runCli(['cancel', jobId, ...state()])).resolves.toMatchObject({ code: 0 });
  });
});
