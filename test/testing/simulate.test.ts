import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/task/task.ts';
import { campaignTask, runScenario, scenarioOf } from '../../src/testing/scenario.ts';
import { simulate } from '../../src/testing/simulate.ts';

const task = defineTask({
  description: 'Answers after a while',
  input: z.object({ ms: z.number() }),
  example: { ms: 1 },
  run: ({ ms }) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
});
const items = Array.from({ length: 60 }, (_, n) => ({ ms: 100 + n }));

describe('simulate', () => {
  it('runs a task as a deployed stack would, in no time', async () => {
    const realStart = performance.now();
    const options = { timeoutMs: 120_000 };
    const { rows, summary, tookMs } = await simulate({
      task,
      items: [{ ms: 100_000 }, { ms: 1 }],
      options,
      wait: false,
    });
    expect(rows).toMatchObject([
      { index: 0, status: 'succeeded', value: 100_000 },
      { index: 1, status: 'succeeded', value: 1 },
    ]);
    expect(summary).toMatchObject({ end: 'done', items: 2 });
    expect(tookMs).toBeGreaterThan(100_000);
    expect(performance.now() - realStart).toBeLessThan(tookMs);
  });

  it('does the same under the same seed, and something else under another', async () => {
    const faults = { odds: { 'kill-at-call': 0.05, 's3-lost': 0.1 } };
    const runOf = async (seed: number) => {
      const { history, rows } = await simulate({ task, items, seed, faults });
      return JSON.stringify([rows, history.calls, history.faults]);
    };
    const first = await runOf(7);
    expect(await runOf(7)).toBe(first);
    expect(await runOf(8)).not.toBe(first);
  });

  it('loses no item to processes that die at their calls', async () => {
    const { rows, history } = await simulate({ task, items, seed: 3, faults: { odds: { 'kill-at-call': 0.1 } } });
    expect(history.countFaults().get('kill-at-call')).toBeGreaterThan(1);
    expect(rows.map(({ index, status }) => [index, status])).toEqual(items.map((_, index) => [index, 'succeeded']));
  });

  it.each([2, 300])('finds the one of %i items that ends its process, and its neighbours succeed', async (count) => {
    const all = Array.from({ length: count }, (_, n) => ({
      ms: 100,
      act: n === count - 1 ? 'poison' : 'ok',
      times: 1,
    }));
    const { rows, tookMs, history } = await simulate({ task: campaignTask, items: all, options: { concurrency: 10 } });
    const codes = rows.map((row) => (row.status === 'failed' ? row.error.code : row.status));
    expect(codes).toEqual(all.map(({ act }) => (act === 'poison' ? 'WorkerCrashed' : 'succeeded')));
    expect(tookMs).toBeLessThan(60_000);
    // Of those that ran beside it, whoever had answered is not called again.
    expect(history.calls.length).toBeLessThanOrEqual(count + 40);
  });

  it('runs items again as often as is asked, under keys of their own, and keeps what each pass came to', async () => {
    const act = (n: number): string => (n % 3 === 0 ? 'fail' : n % 3 === 1 ? 'flaky' : 'ok');
    const all = Array.from({ length: 60 }, (_, n) => ({ ms: 100, act: act(n), times: 1 }));
    const { rows, summary, passes, history, jobId } = await simulate({
      task: campaignTask,
      items: all,
      options: { attempts: 1 },
      redrives: [{ codes: ['NotThere'] }, { codes: ['Flaky'], attempts: 2 }, { sameKey: true }],
      faults: { odds: { kill: 0.3 } },
    });
    const of = (wanted: string) => all.flatMap((_, n) => (act(n) === wanted ? [n] : []));
    expect(passes.map(({ pass, indexes }) => [pass, indexes])).toEqual([
      [0, all.map((_, n) => n)],
      [1, of('flaky')],
      [2, of('fail')],
    ]);
    expect(rows.map(({ index, status }) => [index, status])).toEqual(
      all.map((_, n) => [n, act(n) === 'fail' ? 'failed' : 'succeeded']),
    );
    expect(summary).toMatchObject({ passes: 2, items: 60, totals: { succeeded: 40, failed: 20 } });
    const keys = (pass: number) =>
      new Set(history.calls.filter((call) => call.pass === pass).map((call) => call.idempotencyKey));
    expect(keys(1)).toEqual(new Set(of('flaky').map((n) => `${jobId}/${n}/1`)));
    expect(keys(2)).toEqual(new Set(of('fail').map((n) => `${jobId}/${n}`)));
  });

  it('gives the timers of the process back', async () => {
    const before = [setTimeout, Date.now, crypto.subtle.digest];
    await simulate({ task, items: [{ ms: 1 }] });
    expect([setTimeout, Date.now, crypto.subtle.digest]).toEqual(before);
  });

  it('ends a timer that was set before, when it is cleared meanwhile', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const timer = setTimeout(() => undefined, 60_000);
    let ended = 0;
    const clears = defineTask({
      description: 'Clears a timer',
      input: z.object({}),
      example: {},
      run: () => {
        const before = timers();
        clearTimeout(timer);
        ended += before - timers();
      },
    });
    await simulate({ task: clears, items: [{}] });
    expect(ended).toBe(1);
  });

  it('refuses a second simulation beside one that runs', async () => {
    const first = simulate({ task, items: [{ ms: 1 }] });
    await expect(simulate({ task, items: [{ ms: 1 }] })).rejects.toThrow('one simulation at a time');
    await first;
  });
});

describe('a campaign', () => {
  /** `CHAOS_SEED` runs the same ones again. */
  const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000_000));

  it(`breaks no promise in 200 runs from seed ${seed}`, { timeout: 600_000 }, async () => {
    const broken: string[] = [];
    for (let n = 0; n < 200; n++) {
      const { violations } = await runScenario(scenarioOf(seed + n));
      broken.push(...violations.map(({ rule, what }) => `seed ${seed + n}: ${rule}: ${what}`));
    }
    expect(broken).toEqual([]);
  });

  it(`keeps no small job waiting whose requests to S3 go wrong, in 100 runs from seed ${seed}`, {
    timeout: 600_000,
  }, async () => {
    const broken: string[] = [];
    for (let n = 0; n < 100; n++) {
      // Nobody follows it, who would ring for it.
      const kind = (['s3-repeated', 's3-lost', 's3-refused'] as const)[n % 3] ?? 's3-lost';
      // A fan-out that is refused again and again is given up by who asked; what only repeats itself needs nobody to follow.
      const isAlone = kind === 's3-repeated' && { followed: false };
      const aim = { count: 1 + (n % 30), ...isAlone, faults: { odds: { [kind]: 0.1 } } };
      const { violations } = await runScenario(scenarioOf(seed + n, aim));
      broken.push(...violations.map(({ rule, what }) => `seed ${seed + n}, ${kind}: ${rule}: ${what}`));
    }
    expect(broken).toEqual([]);
  });
});
