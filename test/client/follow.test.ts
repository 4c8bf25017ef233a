import { describe, expect, it } from 'vitest';
import { type FollowOptions, followJob } from '../../src/client/follow.ts';
import type { Progress } from '../../src/client/progress.ts';
import type { SteerDeps } from '../../src/client/stack.ts';
import { emptyDigest } from '../../src/format/digest.ts';
import { cutKey, manifestKey, partKey, resultKey, summaryKey, tickKey } from '../../src/format/paths.ts';
import type { FanOutAnswer } from '../../src/format/request.ts';
import type { Summary } from '../../src/format/summary.ts';
import type { Clock, ObjectStore, Queue } from '../../src/ports.ts';
import { goldenRecord } from '../support/golden-record.ts';

const jobId = '0000000000aaaaaaaaaa';
const start = Date.parse('2026-11-23T10:00:00.000Z');
const totals = { ...emptyDigest, succeeded: 4 };
const summary: unknown = JSON.parse(goldenRecord('summary', { jobId, items: 4, chunks: 2, totals }));

/** A folder in memory, a clock that jumps to each timer, and a queue that remembers what it was sent. */
function world() {
  const objects = new Map<string, string>();
  const sent: Array<{ readonly at: number; readonly body: unknown }> = [];
  let now = start;
  const clock: Clock = {
    now: () => now,
    after: (delayMs, callback) => {
      const timer = setImmediate(() => {
        now += delayMs;
        callback();
      });
      return () => clearImmediate(timer);
    },
  };
  const store: ObjectStore = {
    get: async (key) => {
      const body = objects.get(key);
      return body === undefined ? undefined : { body: Buffer.from(body), etag: '"1"', metadata: {} };
    },
    head: async () => undefined,
    put: async () => undefined,
    delete: async () => undefined,
    list: async (prefix, { limit } = {}) =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .slice(0, limit),
  };
  const refuse = (): never => {
    throw new Error('following a job only sends ticks');
  };
  const tickQueue: Queue = {
    send: async (bodies) => void sent.push(...bodies.map((body) => ({ at: now - start, body: JSON.parse(body) }))),
    receive: refuse,
    delete: refuse,
    changeVisibility: refuse,
    depth: refuse,
  };
  const put = (key: string, value: unknown): void =>
    void objects.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  put(manifestKey(jobId), goldenRecord('manifest', { jobId, task: 'http', createdAt: new Date(start).toISOString() }));
  return { deps: { store, tickQueue, clock, invoke: refuse }, put, sent };
}

const tick = (n: number, nextAt: number) => {
  const totals = { ...emptyDigest, failed: 1, attempts: 7, tried: 4 };
  const cut = { parts: [], offset: 0, lines: 4, items: 4, chunks: 2, done: true };
  return goldenRecord('tick-last', { n, nextAt, cut, totals });
};

const cutInTwo = ({ put }: ReturnType<typeof world>): void => {
  put(cutKey(jobId), { v: 1, items: 4, chunks: 2, parts: [{ first: 0, chunks: 2 }] });
  put(partKey(jobId, 0), {
    v: 1,
    chunks: [
      { start: 0, end: 2, first: 0, count: 3 },
      { start: 3, end: 3, first: 3, count: 1 },
    ],
  });
};

/** Follows the job; `at` is called with each progress and may change the world. */
async function follow(
  { deps }: { readonly deps: SteerDeps },
  at: (progress: Progress, look: number) => void,
  { signal = new AbortController().signal, answer }: Partial<FollowOptions> = {},
) {
  const seen: Progress[] = [];
  const looks = followJob(deps, jobId, { signal, answer });
  for (let look = await looks.next(); ; look = await looks.next()) {
    if (look.done === true) return { summary: look.value, seen };
    at(look.value.progress, seen.push(look.value.progress));
  }
}

describe('followJob', () => {
  it('answers the summary at once when the job has ended', async () => {
    const here = world();
    here.put(summaryKey(jobId), summary);
    await expect(follow(here, () => {})).resolves.toEqual({ summary, seen: [] });
  });

  it('asks nothing about a job whose answer comes before the first look', async () => {
    const here = world();
    const answer = Promise.withResolvers<FanOutAnswer>();
    here.deps.clock.after(50, () => answer.resolve({ jobId, state: 'done', summary: summary as Summary }));
    const silent = Object.fromEntries(['get', 'head', 'list'].map((name) => [name, here.deps.tickQueue.receive]));
    const store = { ...here.deps.store, ...silent };
    const ended = follow({ deps: { ...here.deps, store } }, () => {}, { answer: answer.promise });
    await expect(ended).resolves.toEqual({ summary, seen: [] });
  });

  it('rings no turn for a job that the fan-out still works on, and waits no more once it has answered', async () => {
    const here = world();
    cutInTwo(here);
    const answer = Promise.withResolvers<FanOutAnswer>();
    let answeredAt = 0;
    const { seen } = await follow(
      here,
      (_, look) => {
        for (const chunk of [0, 1]) here.put(resultKey(jobId, { part: 0, chunk }), {});
        if (look !== 3) return;
        answer.resolve({ jobId, state: 'done', summary: summary as Summary });
        answeredAt = here.deps.clock.now();
      },
      { answer: answer.promise },
    );
    expect(seen.at(-1)).toMatchObject({ items: 4, total: 4 });
    expect(here.sent).toEqual([]);
    expect(here.deps.clock.now()).toBe(answeredAt);
  });

  it('rings for a job that its fan-out has left and nobody took up: its next turn is far away', async () => {
    const here = world();
    here.put(manifestKey(jobId), goldenRecord('manifest', { jobId, inline: true }));
    here.put(tickKey(jobId, 0), tick(0, start + 90_000));
    const answer = Promise.withResolvers<FanOutAnswer>();
    let leftAt = 0;
    await follow(
      here,
      (_, look) => {
        if (look === 3) {
          answer.resolve({ jobId, state: 'running' });
          leftAt = here.deps.clock.now() - start;
        }
        if (here.sent.length === 1) here.put(summaryKey(jobId), summary);
      },
      { answer: answer.promise },
    );
    expect(here.sent).toMatchObject([{ body: { n: 1, after: 'w16' } }]);
    expect(here.sent[0]?.at).toBeGreaterThan(leftAt + 5_000);
    expect(here.sent[0]?.at).toBeLessThan(leftAt + 8_000);
  });

  it('goes on when S3 refuses for minutes, and ends when it forbids', async () => {
    const here = world();
    const { get } = here.deps.store;
    let refusals = 0;
    const refusing = (httpStatusCode: number): ObjectStore => ({
      ...here.deps.store,
      get: async (key) => {
        if (refusals++ < 40)
          throw Object.assign(new Error('refused'), { $fault: 'server', $metadata: { httpStatusCode } });
        return get(key);
      },
    });
    here.put(summaryKey(jobId), summary);
    const within = (store: ObjectStore) => follow({ ...here, deps: { ...here.deps, store } }, () => {});
    await expect(within(refusing(503))).resolves.toMatchObject({ summary });
    expect(here.deps.clock.now() - start).toBeGreaterThan(300_000);
    refusals = 0;
    await expect(within(refusing(403))).rejects.toThrow('refused');
    expect(refusals).toBe(1);
  });

  it('tells what is settled, what the last turn counted, and the pace', async () => {
    const here = world();
    const { seen } = await follow(here, (_, look) => {
      if (look === 1) here.put(tickKey(jobId, 0), tick(0, start + 60_000));
      if (look === 2) cutInTwo(here);
      if (look === 3) here.put(resultKey(jobId, { part: 0, chunk: 0 }), {});
      if (look === 4) here.put(summaryKey(jobId), summary);
    });
    const [, { costUsd = 0 } = {}] = seen;
    expect(costUsd).toBeGreaterThan(0);
    const known = {
      jobId,
      task: 'http',
      refusals: 0,
      elapsedMs: expect.any(Number),
      read: 4,
      failed: 1,
      retries: 3,
      costUsd,
    };
    expect(seen).toEqual([
      { ...known, items: 0, read: 0, failed: 0, retries: 0, costUsd: 0 },
      { ...known, items: 0 },
      { ...known, items: 0, total: 4 },
      { ...known, items: 3, total: 4, perSecond: expect.any(Number), remainingMs: expect.any(Number) },
    ]);
    expect(here.sent).toEqual([]);
  });

  it('looks again at once where it is told that what was missing stands: the last result, then the summary', async () => {
    const here = world();
    cutInTwo(here);
    const listeners = new Set<(key: string) => void>();
    const tellStored = (added: (key: string) => void) => {
      listeners.add(added);
      return () => listeners.delete(added);
    };
    const store = (key: string, value: unknown): void => {
      here.put(key, value);
      for (const listener of listeners) listener(key);
    };
    const at: number[] = [];
    const { seen } = await follow({ deps: { ...here.deps, tellStored } }, (_, look) => {
      at.push(here.deps.clock.now() - start);
      if (look === 1) store(resultKey(jobId, { part: 0, chunk: 0 }), {});
      if (look === 2) store(resultKey(jobId, { part: 0, chunk: 1 }), {});
      if (look === 3) store(summaryKey(jobId), summary);
    });
    expect(seen.map(({ items }) => items)).toEqual([0, 3, 4]);
    // One of two results that are missing is worth no look of its own.
    expect(at).toEqual([0, 100, 100]);
    expect(here.deps.clock.now() - start).toBe(100);
    expect(listeners.size).toBe(0);
  });

  it('sends the due tick when everything is settled and only the summary is missing, and again after five seconds', async () => {
    const here = world();
    cutInTwo(here);
    here.put(tickKey(jobId, 8), tick(8, start + 15_000));
    for (const chunk of [0, 1]) here.put(resultKey(jobId, { part: 0, chunk }), {});
    await follow(here, () => {
      if (here.deps.clock.now() >= start + 7_000) here.put(summaryKey(jobId), summary);
    });
    expect(here.sent.map(({ body }) => body)).toEqual([
      { v: 1, kind: 'tick', job: jobId, n: 9, after: 'w16' },
      { v: 1, kind: 'tick', job: jobId, n: 9, after: 'w16' },
    ]);
    expect(here.sent[0]?.at).toBe(0);
    expect(here.sent[1]?.at).toBeGreaterThanOrEqual(5_000);
  });

  it('sends a tick that is overdue by a minute', async () => {
    const here = world();
    here.put(tickKey(jobId, 3), tick(3, start + 2_000));
    await follow(here, () => {
      if (here.sent.length === 1) here.put(summaryKey(jobId), summary);
    });
    expect(here.sent[0]?.body).toMatchObject({ n: 4 });
    expect(here.sent[0]?.at).toBeGreaterThan(62_000);
    expect(here.sent[0]?.at).toBeLessThan(64_000);
  });

  it('sends the first tick of a job that never had one', async () => {
    const here = world();
    await follow(here, () => {
      if (here.sent.length === 1) here.put(summaryKey(jobId), summary);
    });
    expect(here.sent[0]?.body).toMatchObject({ n: 0 });
  });

  it('rejects with the reason when it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const following = follow(world(), (_, look) => look === 3 && controller.abort(reason), controller);
    await expect(following).rejects.toBe(reason);
  });

  it('refuses a job that is not there', async () => {
    const { deps } = world();
    const following = followJob(deps, '0123456789abcdefghjk', { signal: new AbortController().signal });
    await expect(following.next()).rejects.toMatchObject({ code: 'JobNotFound' });
  });
});
