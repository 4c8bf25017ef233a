import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/limits.ts';
import { AttemptBrokenOff } from '../../../src/worker/attempt.ts';
import { Isolation } from '../../../src/worker/isolate/isolation.ts';
import type {
  ChildAnswer,
  ChildEnd,
  ChildRequest,
  StartChild,
  TaskChild,
  ToldOfRun,
} from '../../../src/worker/isolate/task-child.ts';

interface Item {
  readonly n: number;
}

const nobody = { rejection: () => undefined, change: () => undefined };
const unheard = { used: () => undefined, begun: () => undefined };
const requestOf = (n: number): ChildRequest => ({
  task: 't',
  item: '{}',
  attempt: 1,
  idempotencyKey: `j/${n}`,
  timeoutMs: 1_000,
});
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
      run: async ({ idempotencyKey }, _signal, told) => {
        told.taken();
        told.begun();
        const n = Number(idempotencyKey.split('/')[1]);
        await Promise.resolve();
        if (kills.has(n) && isAlive) {
          isAlive = false;
          resolve({ error: crashed, ...more });
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
      const one = isolation
        .run(run, requestOf(run.n), signal, unheard)
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

  /** A child whose items, by their keys, say and answer what the test makes them. */
  function childByHand() {
    const { promise: ended, resolve: end } = Promise.withResolvers<ChildEnd>();
    const runs: Array<ToldOfRun & Pick<PromiseWithResolvers<ChildAnswer>, 'resolve'>> = [];
    const child: TaskChild = {
      ended,
      kill: () => undefined,
      load: async () => undefined,
      run: (_request, _signal, told) => {
        const { promise, resolve } = Promise.withResolvers<ChildAnswer>();
        runs.push({ ...told, resolve });
        return promise;
      },
    };
    return { child, runs, end };
  }

  it('fails the one that its process had taken when that ends, and suspects none that was on its way there', async () => {
    const { child, runs, end } = childByHand();
    const isolation = new Isolation<Item>(() => child, nobody);
    const guilty = { n: 0 };
    const waiting = { n: 1 };
    const { signal } = new AbortController();
    const run = (item: Item) => isolation.run(item, requestOf(item.n), signal, unheard);
    const first = run(guilty);
    runs[0]?.taken();
    runs[0]?.begun();
    const second = run(waiting);
    end({ error: crashed });
    await expect(first).rejects.toMatchObject({ code: 'WorkerCrashed' });
    await expect(second).rejects.toThrow(AttemptBrokenOff);
  });

  it.each([1, 2])('blames none of %i for one that blocks the loop after its answer', async (count) => {
    const { child, runs, end } = childByHand();
    const isolation = new Isolation<Item>(() => child, nobody);
    const { signal } = new AbortController();
    const start = (n: number) => {
      const running = isolation.run({ n }, requestOf(n), signal, unheard);
      runs[n]?.taken();
      runs[n]?.begun();
      return running;
    };
    const late = start(0);
    const others = Array.from({ length: count }, (_, n) => start(n + 1));
    runs[0]?.resolve({ ok: true, json: '0' });
    expect(await late).toBe(0);
    end({ error: { ...crashed, code: 'LoopBlocked' }, culprit: 'j/0' });
    for (const other of others) await expect(other).rejects.toThrow(AttemptBrokenOff);
    const next = { n: 9 };
    while (!isolation.mayStart(next, 't')) await new Promise((done) => setImmediate(done));
  });

  it('blames nobody for children that do not start, and gives them up', async () => {
    const start: StartChild = () => {
      const run = (): Promise<never> => new Promise(() => undefined);
      return { ended: Promise.resolve({ error: crashed }), kill: () => undefined, load: async () => undefined, run };
    };
    const isolation = new Isolation<Item>(start, nobody);
    for (let died = 0; died < 3; died++) {
      expect(isolation.works).toBe(true);
      await expect(isolation.run({ n: 0 }, requestOf(0), new AbortController().signal, unheard)).rejects.toThrow(
        AttemptBrokenOff,
      );
    }
    expect(isolation.works).toBe(false);
  });

  it('runs 200 at once at most, and none before a child has its task', async () => {
    const { promise: hasChanged, resolve: change } = Promise.withResolvers<void>();
    const isolation = new Isolation<Item>(childrenThatDieOf(new Set()).start, { ...nobody, change });
    expect(isolation.mayStart({ n: 0 }, 't')).toBe(false);
    await hasChanged;
    let started = 0;
    for (; isolation.mayStart({ n: started }, 't'); started++)
      void isolation.run({ n: started }, requestOf(0), new AbortController().signal, unheard);
    expect(started).toBe(limits.isolatedItems);
  });

  it('gives its child one item at a time until that has called its task, and tells so', async () => {
    const begins: ToldOfRun[] = [];
    const answers: Array<PromiseWithResolvers<ChildAnswer>> = [];
    const start: StartChild = () => ({
      ended: new Promise(() => undefined),
      kill: () => undefined,
      load: async () => undefined,
      run: (_request, _signal, told) => {
        begins.push(told);
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
      const on = { ...unheard, begun: () => void told.push(n) };
      return isolation.run({ n }, requestOf(n), new AbortController().signal, on);
    };
    const first = run(0);
    expect(isolation.mayStart({ n: 1 }, 't')).toBe(false);
    changes = 0;
    begins[0]?.taken();
    expect(isolation.mayStart({ n: 1 }, 't')).toBe(false);
    begins[0]?.begun();
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
      const ended = Promise.resolve({ error: crashed });
      return { ended, load, kill: () => undefined, run: () => new Promise(() => undefined) };
    };
    const isolation = new Isolation<Item>(start, nobody);
    while (!isolation.mayStart({ n: 0 }, 't')) await new Promise((next) => setImmediate(next));
    expect(children).toBe(3);
  });
});
