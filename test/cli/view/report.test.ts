import { describe, expect, it } from 'vitest';
import { reportLines } from '../../../src/cli/view/report.ts';
import { emptyDigest } from '../../../src/format/digest.ts';
import type { Summary } from '../../../src/format/summary.ts';

const plain = { paint: (_: string, text: string) => text };

const summary: Summary = {
  v: 1,
  task: 'http',
  jobId: '0000000000aaaaaaaaaa',
  end: 'done',
  items: 1_000,
  chunks: 10,
  totals: {
    ...emptyDigest,
    succeeded: 996,
    failed: 4,
    codes: { HttpStatus: 3, Timeout: 1 },
    attempts: 1_024,
    tried: 1_000,
    callMs: 152_000,
    invocations: 5,
    billedMs: 12_000,
  },
  messages: 10,
  turns: 4,
  createdAt: '2026-11-23T10:00:00.000Z',
  endedAt: '2026-11-23T10:00:03.100Z',
  wallMs: 3_100,
  workerMemoryMb: 1_024,
};

describe('reportLines', () => {
  it('says at once how the job ended, why items failed, how fast it was, and what it would cost', () => {
    const examples = [
      { index: 17, error: { code: 'HttpStatus', message: 'expected 2xx,\n got 404', retryable: false } },
    ];
    const lines = reportLines(summary, plain, examples);
    expect(lines.slice(0, -1)).toEqual([
      '! 1,000 items in 3.1 s: 996 succeeded, 4 failed',
      '  failed    HttpStatus 3, Timeout 1',
      '            index 17: expected 2xx, got 404',
      '  retries   24',
      '  time      3.1 s; 2 min 32 s of calls, 49 at once on average',
      "  workers   5 invocations, 10 messages, 4 turns of the job's loop",
    ]);
    expect(lines.at(-1)).toMatch(/^ {2}on AWS {4}about \$0\.00\d+ \(Lambda \$[\d.]+, SQS \$[\d.]+, S3 \$[\d.]+\)$/);
  });

  it('says what the task has reported to have cost, where it did', () => {
    const lines = reportLines({ ...summary, totals: { ...summary.totals, nanoUsd: 6.5e9 } }, plain);
    expect(lines.at(-1)).toBe('  by task   $6.50, as it reported');
  });

  it('shows the answer that a downstream refused with, and where the task failed', () => {
    const error = { code: 'HttpStatus422', message: 'expected status 200', retryable: false };
    const examples = [{ index: 3, error: { ...error, body: '{"error":\n"no zip"}', at: 'tasks/look-up.ts:12' } }];
    expect(reportLines(summary, plain, examples)).toContain(
      '            index 3: expected status 200: {"error": "no zip"} (tasks/look-up.ts:12)',
    );
  });

  it('advises threads for tasks that compute, not for those that come along', () => {
    const totals = { ...summary.totals, slowCallbacks: 2, slowestMs: 900 };
    const slow = (task: string) => reportLines({ ...summary, task, totals }, plain).join('\n');
    expect(slow('http')).toContain('the event loop was blocked 2 times');
    expect(slow('http')).not.toContain('thread');
    expect(slow('my-task')).toContain('"thread: true" runs it on threads');
  });

  it('says nothing of failures when there are none', () => {
    const totals = { ...summary.totals, succeeded: 1_000, failed: 0, codes: {} };
    const lines = reportLines({ ...summary, totals }, plain);
    expect(lines[0]).toBe('✓ 1,000 items in 3.1 s: 1,000 succeeded');
    expect(lines[1]).toBe('  retries   24');
  });

  it('says how many calls were refused for the rate', () => {
    const totals = { ...summary.totals, refusals: 12 };
    expect(reportLines({ ...summary, totals }, plain)).toContain('  retries   24; 12 calls were refused for the rate');
  });

  it('counts cancelled items, and claims no speed where there was none', () => {
    const totals = { ...emptyDigest, succeeded: 1, cancelled: 999, attempts: 1, tried: 1, callMs: 900 };
    const lines = reportLines({ ...summary, end: 'cancelled', totals }, plain);
    expect(lines[0]).toBe('! 1,000 items in 3.1 s: 1 succeeded, 999 cancelled');
    expect(lines).toContain('  time      3.1 s; 900 ms of calls');
  });

  it('names the most frequent reasons and adds up the others', () => {
    const codes = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`Code${i}`, 10 - i]));
    const lines = reportLines({ ...summary, totals: { ...summary.totals, codes } }, plain);
    expect(lines[1]).toBe('  failed    Code0 10, Code1 9, Code2 8, Code3 7, Code4 6, Code5 5, others 9');
  });

  it('says why an input was refused', () => {
    const problem = { code: 'InvalidItem', message: 'line 3: n: expected a number' };
    expect(reportLines({ ...summary, end: 'refused', problem }, plain)).toEqual([
      '✗ the input was refused, nothing ran: line 3: n: expected a number',
    ]);
  });
});
