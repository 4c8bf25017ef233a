import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/limits.ts';
import { AttemptBrokenOff } from '../../../src/worker/attempt.ts';
import { Isolation } from '../../../src/worker/isolate/isolation.ts';
import type { ChildAnswer, ChildEnd, StartChild } from '../../../src/worker/isolate/task-child.ts';

interface Item {
  readonly n: number;
}

const nobody = { rejection: () => undefined, change: () => undefined };
const unheard = { used: () => undefined, begun: () => undefined };
const crashed = { code: 'WorkerCrashed', message: 'exit code 3', retryable: false };

/** Children in memory: one dies as soon as it is given an item that kills; others answer in the next turn. */
function childrenThatDieOf(kills: ReadonlySet<number>, more: Partial<ChildEnd> = {}) {
  const answered = new Map<number, number>();
  let children = 0;
  const start: StartChild = () => {
    children++;
    const { promise: ended, resolve } = Promise.withResolvers<ChildEnd>();
    let isAlive = true;
    return {
      ended,
      kill: () => undefined,
      load: async () => undefined,
      run: async ({ idempotencyKey }, _signal, begun) => {
        begun();
        const n = Number(idempotencyKey.split('/')[1]);
        await Promise.resolve();
        if (kills.has(n) && isAlive) {
          isAlive = false;
          resolve({ wasReady: true, error: crashed, ...more });
        }
        // Nobody answers before all that start at once have started.
        await new Promise((next) => setImmediate(next));
        if (!isAlive) return new Promise(() => undefined);
        answered.set(n, (answered.get(n) ?? 0) + 1);
        return { ok: true, json: String(n) };
      },
    };
  };
  return { start, answered, children: () => children };
}

/** Runs all items as the worker does: starts what may start, and again what was broken off. */
async function runAll(isolation: Isolation<Item>, count: number): Promise<Map<number, unknown>> {
  const ready: Item[] = Array.from({ length: count }, (_, n) => ({ n }));
  const outcomes = new Map<number, unknown>();
  const { signal } = new AbortController();
  const running = new Set<Promise<void>>();
  while (outcomes.size < count) {
    for (
      let at = ready.findIndex((run) => isolation.mayStart(run, 't'));
      at !== -1;
      at = ready.findIndex((run) => isolation.mayStart(run, 't'))
    ) {
      const [run] = ready.splice(at, 1);
      if (run === undefined) break;
      const request = { task: 't', item: '{}', attempt: 1, idempotencyKey: `j/${run.n}`, timeoutMs: 1_000 };
      const one = isolation
        .run(run, request, signal, unheard)
        .then(
          (value) => void outcomes.set(run.n, value),
          (error: unknown) => {
            if (error instanceof AttemptBrokenOff) ready.unshift(run);
            else outcomes.set(run.n, error);
          },
        )
        .finally(() => running.delete(one));
      running.add(one);
    }
    await Promise.race([...running, new Promise((next) => setImmediate(next))]);
  }
  return outcomes;
}

describe('isolation', () => {
  it.each([[[300]], [[0]], [[17, 400, 999]]])(
    'finds the items %j that end their process, and answers every other once',
    async (kills) => {
      const { start, answered, children } = childrenThatDieOf(new Set(kills));
      const outcomes = await runAll(new Isolation<Item>(start, nobody), 1_000);
      for (const [n, outcome] of outcomes) {
        if (kills.includes(n)) expect(outcome).toMatchObject({ code: 'WorkerCrashed', retryable: false });
        else expect(outcome).toBe(n);
      }
      expect([...answered.values()].every((times) => times === 1)).toBe(true);
      // Of 200 first √200, then each alone: three deaths for each of them at most, and a child more at the end.
      expect(children()).toBeLessThanOrEqual(3 * kills.length + 1);
    },
  );

  it('needs one death where the process says whose fault it was', async () => {
    const { start, children } = childrenThatDieOf(new Set([300]), { culprit: 'j/300' });
    const outcomes = await runAll(new Isolation<Item>(start, nobody), 500);
    expect(outcomes.get(300)).toMatchObject({ code: 'WorkerCrashed' });
    expect(children()).toBe(2);
  });

  it('blames nobody for children that do not start, and gives them up', async () => {
    const isolation = new Isolation<Item>(childrenThatDieOf(new Set([0]), { wasReady: false }).start, nobody);
    const request = { task: 't', item: '{}', attempt: 1, idempotencyKey: 'j/0', timeoutMs: 1_000 };
    for (let start = 0; start < 3; start++) {
      expect(isolation.works).toBe(true);
      await expect(isolation.run({ n: 0 }, request, new AbortController().signal, unheard)).rejects.toThrow(
        AttemptBrokenOff,
      );
    }
    expect(isolation.works).toBe(false);
  });

  it('runs 200 at once at most, and none before a child has its task', async () => {
    const { promise: hasChanged, resolve: change } = Promise.withResolvers<void>();
    const isolation = new Isolation<Item>(childrenThatDieOf(new Set()).start, { ...nobody, change });
    const request = { task: 't', item: '{}', attempt: 1, idempotencyKey: 'j/0', timeoutMs: 1_000 };
    expect(isolation.mayStart({ n: 0 }, 't')).toBe(false);
    await hasChanged;
    let started = 0;
    for (; isolation.mayStart({ n: started }, 't'); started++)
      void isolation.run({ n: started }, request, new AbortController().signal, unheard);
    expect(started).toBe(limits.isolatedItems);
  });

  it('gives its child one item at a time until that has called its task, and tells so', async () => {
    const begins: Array<() => void> = [];
    const answers: Array<PromiseWithResolvers<ChildAnswer>> = [];
    const start: StartChild = () => ({
      ended: new Promise(() => undefined),
      kill: () => undefined,
      load: async () => undefined,
      run: (_request, _signal, begun) => {
        begins.push(begun);
        const answer = Promise.withResolvers<ChildAnswer>();
        answers.push(answer);
        return answer.promise;
      },
    });
    let changes = 0;
    const isolation = new Isolation<Item>(start, { ...nobody, change: () => changes++ });
    while (!isolation.mayStart({ n: 0 }, 't')) await new Promise((next) => setImmediate(next));
    const told: number[] = [];
    const run = (n: number) => {
      const request = { task: 't', item: '{}', attempt: 1, idempotencyKey: `j/${n}`, timeoutMs: 1_000 };
      const on = { ...unheard, begun: () => void told.push(n) };
      return isolation.run({ n }, request, new AbortController().signal, on);
    };
    const first = run(0);
    expect(isolation.mayStart({ n: 1 }, 't')).toBe(false);
    changes = 0;
    begins[0]?.();
    expect({ told, changes }).toEqual({ told: [0], changes: 1 });
    expect(isolation.mayStart({ n: 1 }, 't')).toBe(true);
    // One whose item is not valid is answered without a call.
    const second = run(1);
    expect(isolation.mayStart({ n: 2 }, 't')).toBe(false);
    answers[1]?.resolve({ ok: false, error: { ...crashed, code: 'InvalidItem' } });
    await expect(second).rejects.toMatchObject({ code: 'InvalidItem' });
    expect({ told, changes }).toEqual({ told: [0], changes: 2 });
    expect(isolation.mayStart({ n: 2 }, 't')).toBe(true);
    answers[0]?.resolve({ ok: true, json: '0' });
    expect(await first).toBe(0);
  });

  it('takes children that die of loading a task for none', async () => {
    let children = 0;
    const start: StartChild = () => {
      children++;
      const load = (): Promise<void> => new Promise(() => undefined);
      const ended = Promise.resolve({ wasReady: true, error: crashed });
      return { ended, load, kill: () => undefined, run: () => new Promise(() => undefined) };
    };
    const isolation = new Isolation<Item>(start, nobody);
    while (!isolation.mayStart({ n: 0 }, 't')) await new Promise((next) => setImmediate(next));
    expect(children).toBe(3);
  });
});
