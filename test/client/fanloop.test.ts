import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { ItemRow } from '../../src/client/job.ts';
import { manifestKey, resultsPrefix, runningKey, runningPrefix } from '../../src/format/paths.ts';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
import { ClientWorld, repeat } from './client-world.ts';

describe('submit', () => {
  it('sends few small items within the invocation, and gives their rows without reading the folder', async () => {
    const world = new ClientWorld((item) => item['n']);
    const job = await world.during(world.connect().submit('t', repeat(25, { ms: 10 })));
    const reads = world.store.calls.length;
    const rows = await world.during(Array.fromAsync(job.results()));
    expect(rows.map((row) => row.status === 'succeeded' && row.value)).toEqual(repeat(25).map(({ n }) => n));
    expect(world.store.calls.length).toBe(reads);
    expect(world.invoked).toMatchObject([{ task: 't', items: repeat(25, { ms: 10 }), clientToken: job.id }]);
    expect(world.uploaded).toEqual([]);
    await world.expectWhole(job.id, 25);
  });

  it.each([
    ['many', repeat(26)],
    ['large', repeat(3, { text: 'x'.repeat(100_000) })],
  ])('uploads items that are %s', async (_, items) => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', items));
    expect(world.invoked).toMatchObject([{ input: `s3://jobs/jobs/${job.id}/input.ndjson` }]);
    await world.during(job.summary());
    await world.expectWhole(job.id, items.length);
  });

  it('streams an endless source into the job as it is read, never holding it as a whole', async () => {
    const world = new ClientWorld(() => 1);
    const asked = { items: 0, most: 0 };
    async function* source() {
      for (let n = 0; n < 40; n++) {
        asked.items++;
        asked.most = Math.max(asked.most, asked.items * 100_000 - world.uploaded.reduce((sum, size) => sum + size, 0));
        yield { n, text: 'x'.repeat(100_000) };
      }
    }
    const job = await world.during(world.connect().submit('t', source()));
    expect(world.uploaded.length).toBeGreaterThan(5);
    expect(asked.most).toBeLessThan(1_500_000);
    await world.during(job.summary());
    await world.expectWhole(job.id, 40);
  });

  it('runs no job inline that the caller wants with the workers', async () => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', repeat(2), { inline: false }));
    expect(await job.status()).toMatchObject({ state: 'running', progress: { items: 0, total: 2 } });
    await world.during(job.summary());
    await world.expectWhole(job.id, 2);
  });

  it.each<[string, unknown, object | null, string]>([
    [
      'a text for items',
      'abc',
      {},
      'expected items as a list, an iterable, an async iterable, or {input: "s3://…"}, got a value of type string',
    ],
    ['no items', null, {}, 'got null'],
    ['items that are not there', undefined, {}, 'got undefined'],
    ['options that are null', [{}], null, 'expected options as an object, got null'],
    ['a number that is none', [{}], { concurrency: Number.NaN }, 'got NaN'],
    ['an object for items', { n: 1 }, {}, 'got a value of type object'],
    ['a mistyped option', [1], { concurency: 5 }, 'got "concurency"; did you mean "concurrency"?'],
    ['no concurrency', [1], { concurrency: 0 }, 'expected concurrency to be a whole number from 1 to 500000, got 0'],
    ['a text for a number', [1], { attempts: '3' }, 'expected attempts to be a whole number from 1 to 20, got "3"'],
    [
      'a long timeout',
      [1],
      { timeoutMs: 1e9 },
      'expected timeoutMs to be a whole number from 1 to 240000, got 1000000000',
    ],
  ])('refuses %s before anything is started', async (_what, items, options, message) => {
    const world = new ClientWorld(() => 1);
    const submitted = world.connect().submit('t', items as unknown[], options as object);
    await expect(submitted).rejects.toMatchObject({
      code: 'InvalidOptions',
      message: expect.stringContaining(message),
    });
    expect(world.store.calls).toEqual([]);
  });

  it('closes the source when it stops reading it', async () => {
    const world = new ClientWorld(() => 1);
    const stop = new AbortController();
    let closed = 0;
    async function* source() {
      try {
        for (let n = 0; ; n++) {
          if (n === 30) stop.abort(new Error('enough'));
          yield { n, text: 'x'.repeat(100_000) };
        }
      } finally {
        closed++;
      }
    }
    await expect(world.during(world.connect().submit('t', source(), { signal: stop.signal }))).rejects.toThrow(
      'enough',
    );
    await Promise.resolve();
    expect(closed).toBe(1);
  });

  it('has no values for no items, where starting a job of none is a mistake', async () => {
    const fanloop = new ClientWorld(() => 1).connect();
    await expect(fanloop.map('t', [])).resolves.toEqual([]);
    await expect(fanloop.submit('t', [])).rejects.toMatchObject({ code: 'EmptyInput' });
  });

  it('begins nothing for a signal that has aborted', async () => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', repeat(2), { inline: false }));
    const signal = AbortSignal.abort(new Error('too late'));
    for (const ask of [
      () => job.status({ signal }),
      () => job.cancel({ signal }),
      () => job.pause({ signal }),
      () => job.resume({ signal }),
      () => job.tune({ breaker: 50 }, { signal }),
      () => job.redrive({ signal }),
      () => job.summary({ signal }),
    ])
      await expect(ask()).rejects.toThrow('too late');
    await world.during(job.summary());
    await world.expectWhole(job.id, 2);
  });

  it('tells the id before the first call can happen', async () => {
    const world = new ClientWorld(() => 1);
    const told: unknown[] = [];
    const onSubmit = (about: unknown) => told.push([about, world.invoked.length, world.calls.started.length]);
    const job = await world.during(world.connect().submit('t', repeat(2), { onSubmit }));
    expect(told).toEqual([[{ id: job.id, items: 2 }, 0, 0]]);
  });

  it.each([
    ['an answer that was lost', 1],
    ['three answers that were lost', 3],
  ])('asks again after %s, and nothing is called twice', async (_, lost) => {
    const world = new ClientWorld((item) => item['n']);
    world.fault = async (invoke, n) => {
      const answer = await invoke();
      if (n <= lost) throw new Error('socket hang up');
      return answer;
    };
    const values = await world.during(world.connect().map('t', repeat(5)));
    expect(values).toEqual([0, 1, 2, 3, 4]);
    expect(world.calls.started).toHaveLength(5);
    expect(new Set(world.invoked.map(({ clientToken }) => clientToken)).size).toBe(1);
  });

  it('asks again when the function failed before anything stood', async () => {
    const world = new ClientWorld(() => 1);
    world.fault = async (invoke, n) => {
      if (n <= 3) throw new Error('the fan-out function failed: Runtime.ExitError');
      return invoke();
    };
    await expect(world.during(world.connect().map('t', repeat(2)))).resolves.toEqual([1, 1]);
    expect(world.invoked).toHaveLength(4);
  });

  it('follows a job whose fan-out never answers again, since the job stands', async () => {
    const world = new ClientWorld(() => 1);
    world.fault = async (invoke, n) => {
      if (n === 1) await invoke();
      throw new Error('timeout');
    };
    const job = await world.during(world.connect().submit('t', repeat(40)));
    const summary = await world.during(job.summary());
    expect(summary.totals.succeeded).toBe(40);
    expect(world.calls.started).toHaveLength(40);
  });

  it('asks nobody any more for a job that stands once it is closed', async () => {
    const world = new ClientWorld(() => 1);
    world.fault = async (invoke) => {
      await invoke();
      throw new Error('timeout');
    };
    const fanloop = world.connect();
    await world.during(fanloop.submit('t', repeat(40)));
    await fanloop.close();
    const asked = world.invoked.length;
    await world.clock.advance(120_000);
    expect(world.invoked).toHaveLength(asked);
    await expect(fanloop.submit('t', repeat(1))).rejects.toThrow('the connection was closed');
  });

  it('says how often it asked when nobody answers, and that no job began', async () => {
    const world = new ClientWorld(() => 1);
    world.fault = async () => {
      throw new Error('connect ECONNREFUSED');
    };
    const submitting = world.connect().submit('t', repeat(2));
    await expect(world.during(submitting)).rejects.toThrow(/no answer in 8 tries: connect ECONNREFUSED$/);
  });

  it('refuses what the fan-out refuses, at once, and leaves no job behind', async () => {
    const world = new ClientWorld(() => 1);
    await expect(world.during(world.connect().submit('tt', repeat(2)))).rejects.toMatchObject({
      code: 'UnknownTask',
      message: expect.stringContaining('did you mean "t"?'),
    });
    expect(world.invoked).toHaveLength(1);
    expect(world.store.keys()).toEqual([]);
  });

  it.each([
    ['no items', [], 'EmptyInput'],
    ['an item that JSON cannot hold', [() => 1], 'InvalidItem'],
    ['an item that holds itself', [circular()], 'InvalidItem'],
    ['an item over 1 MiB', ['x'.repeat(1_100_000)], 'ItemTooLarge'],
  ])('refuses %s before anything is asked', async (_, items, code) => {
    const world = new ClientWorld(() => 1);
    await expect(world.during(world.connect().submit('t', items))).rejects.toMatchObject({ code });
    expect(world.invoked).toEqual([]);
  });

  it('ends with the reason of its signal while a source keeps it waiting', async () => {
    const world = new ClientWorld(() => 1);
    const controller = new AbortController();
    async function* never() {
      yield { n: 0 };
      controller.abort(new Error('enough'));
      await new Promise(() => {});
    }
    const submitting = world.connect().submit('t', never(), { signal: controller.signal });
    await expect(world.during(submitting)).rejects.toThrow('enough');
  });
});

describe('map', () => {
  it.each([
    ['while its items run', 40, 1_000],
    ['before its job has begun', 40, 0],
    ['while the function that starts it runs its items', 3, 1_000],
  ])('rejects at once when its signal aborts %s, and cancels the job that nobody else reads', async (_, count, ms) => {
    const world = new ClientWorld(() => 1);
    const fanloop = world.connect();
    const controller = new AbortController();
    let id = '';
    const onSubmit = (job: { readonly id: string }) => {
      id = job.id;
      if (ms === 0) controller.abort(new Error('enough'));
    };
    world.clock.after(ms, () => controller.abort(new Error('enough')));
    const items = repeat(count, { ms: 8_000 });
    const mapping = fanloop.map('t', items, { onSubmit, signal: controller.signal });
    await expect(world.during(mapping)).rejects.toThrow('enough');
    const abortedAt = world.clock.now();
    await world.during(fanloop.close());
    expect(world.clock.now() - abortedAt).toBeLessThan(1_000);
    const job = world.connect().find(id);
    const { end, totals } = await world.during(job.summary());
    expect({ end, cancelled: totals.cancelled }).toEqual({ end: 'cancelled', cancelled: count });
  });

  it.each(['map', 'submit'] as const)(
    'rejects %s at once while S3 is slow to say that the job is kept to, cancels it then, and is closed within seconds',
    async (verb) => {
      const world = new ClientWorld(() => 1);
      const put = world.store.put.bind(world.store);
      world.store.put = async (...given) => {
        const etag = await put(...given);
        if (given[0].startsWith(runningPrefix)) await world.clock.sleep(60_000);
        return etag;
      };
      const fanloop = world.connect();
      const controller = new AbortController();
      world.clock.after(1_000, () => controller.abort(new Error('enough')));
      const startedAt = world.clock.now();
      const asked = fanloop[verb]('t', repeat(40), { signal: controller.signal });
      await expect(world.during<unknown>(asked)).rejects.toThrow('enough');
      expect(world.clock.now() - startedAt).toBe(1_000);
      await world.during(fanloop.close());
      expect(world.clock.now() - startedAt).toBeLessThanOrEqual(6_000);
      await world.during(world.clock.sleep(200_000));
      const [id = ''] = await Array.fromAsync(world.connect().jobs());
      expect(await world.during(world.connect().find(id).summary())).toMatchObject({ end: 'cancelled' });
    },
  );

  it('leaves a job alone that has ended when its signal aborts', async () => {
    const world = new ClientWorld(() => 1);
    const fanloop = world.connect();
    const controller = new AbortController();
    let id = '';
    const onSubmit = (job: { readonly id: string }) => {
      id = job.id;
    };
    expect(await world.during(fanloop.map('t', repeat(30), { onSubmit, signal: controller.signal }))).toHaveLength(30);
    controller.abort();
    await world.during(fanloop.close());
    expect(await world.during(world.connect().find(id).summary())).toMatchObject({ end: 'done' });
  });
});

describe('a job that was asked for and never began', () => {
  async function leftBefore(invoke: boolean) {
    const world = new ClientWorld((item) => item['n']);
    let id = '';
    world.fault = () => new Promise(() => {});
    const controller = new AbortController();
    const onSubmit = (job: { readonly id: string }) => {
      id = job.id;
      if (!invoke) controller.abort(new Error('killed'));
    };
    const submitting = world.connect().submit('t', repeat(5), { onSubmit, signal: controller.signal });
    submitting.catch(() => undefined);
    await world.clock.advance(1_000);
    controller.abort(new Error('killed'));
    expect(world.store.keys(manifestKey(id))).toEqual([]);
    world.fault = undefined;
    return { world, id };
  }

  it.each([true, false])('begins when somebody follows it (asked before: %s)', async (invoke) => {
    const { world, id } = await leftBefore(invoke);
    const rows = await world.during(Array.fromAsync(world.connect().find(id).results()));
    expect(rows).toHaveLength(5);
    await world.expectWhole(id, 5);
    expect(world.store.keys(runningPrefix)).toEqual([]);
  });

  it('is cancelled as any other: each item has its row, and none was called', async () => {
    const { world, id } = await leftBefore(true);
    const job = world.connect().find(id);
    await expect(world.during(job.cancel())).resolves.toBe('cancelling');
    expect(await world.during(job.summary())).toMatchObject({ end: 'cancelled', totals: { cancelled: 5 } });
    expect(world.calls.started).toEqual([]);
  });

  it('is said not to have begun by what only reads', async () => {
    const { world, id } = await leftBefore(true);
    await expect(world.connect().find(id).status()).rejects.toThrow(`"fanloop watch ${id}" begins it`);
  });
});

describe('a job', () => {
  it('gives each row once as it settles, and lists nothing again that has settled from the front on', async () => {
    const world = new ClientWorld((item) => item['n']);
    world.workers = 20;
    const job = await world.during(world.connect().submit('t', repeat(400, { ms: 2_000 }), { concurrency: 10 }));
    const rows: ItemRow<unknown>[] = [];
    const consume = async () => {
      for await (const row of job.asCompleted()) rows.push(row);
    };
    await world.during(consume());
    expect(rows.map((row) => row.index).sort((a, b) => a - b)).toEqual(repeat(400).map(({ n }) => n));
    const results = world.store.calls.filter(
      ({ operation, key }) => operation === 'get' && key.startsWith(resultsPrefix(job.id, 0)),
    );
    expect(new Set(results.map(({ key }) => key)).size).toBe(results.length);
  });

  it('gives rows of items that were never sent, too, when it was cancelled', async () => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', repeat(40, { ms: 5_000 })));
    await job.cancel();
    const rows = await world.during(Array.fromAsync(job.asCompleted()));
    expect(rows.map((row) => row.index).sort((a, b) => a - b)).toEqual(repeat(40).map(({ n }) => n));
  });

  it('throws the first item that has no value where values are wanted', async () => {
    const world = new ClientWorld((item) => {
      if (item['n'] === 2) throw new TaskError('there is no such user', { code: 'NotFound' });
      return item['n'];
    });
    await expect(world.during(world.connect().map('t', repeat(4)))).rejects.toMatchObject({
      name: 'ItemFailed',
      code: 'NotFound',
      index: 2,
      message: expect.stringMatching(/^item 2 of job \w{20} failed: there is no such user$/),
    });
    expect(world.calls.started).toHaveLength(4);
  });

  it('tells its progress to the end', async () => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', repeat(60, { ms: 4_000 }), { concurrency: 20 }));
    const seen: number[] = [];
    const watch = async () => {
      for await (const { items } of job.progress()) seen.push(items);
    };
    await world.during(watch());
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBeGreaterThan(0);
  });

  it('survives a lost tick', async () => {
    const world = new ClientWorld(() => 1);
    const job = await world.during(world.connect().submit('t', repeat(40)));
    world.tickQueue.messages = [];
    expect(await world.during(job.summary())).toMatchObject({ end: 'done', items: 40 });
  });

  it('goes on when a wait for it is given up', async () => {
    const world = new ClientWorld(() => 1);
    const fanloop = world.connect();
    const job = await world.during(fanloop.submit('t', repeat(40, { ms: 3_000 })));
    const controller = new AbortController();
    world.clock.after(1_000, () => controller.abort(new Error('no time')));
    await expect(world.during(job.summary({ signal: controller.signal }))).rejects.toThrow('no time');
    await world.during(fanloop.find(job.id).summary());
    await world.expectWhole(job.id, 40);
    expect(world.store.keys(runningKey(job.id))).toEqual([]);
  });

  it('is not found where it is not', async () => {
    const job = new ClientWorld(() => 1).connect().find('0123456789abcdefghjk');
    for (const ask of [() => job.summary(), () => job.status(), () => job.cancel()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'JobNotFound' });
    }
  });
});

describe('the types', () => {
  const lookUp = defineTask({
    description: 'A test',
    input: z.object({ id: z.coerce.number<string>() }),
    example: { id: '7' },
    run: async ({ id }) => ({ name: `user ${id}` }),
  });

  it('are the task’s own: items as its schema takes them, values as it resolves to', () => {
    const fanloop = new ClientWorld(() => 1).connect();
    type Map = (items: { readonly id: string }[]) => Promise<{ name: string }[]>;
    expectTypeOf((items: { id: string }[]) => fanloop.map(lookUp, items)).toEqualTypeOf<
      (items: { id: string }[]) => ReturnType<Map>
    >();
    // @ts-expect-error an item of another shape
    const wrong = () => fanloop.map(lookUp, [{ id: 7 }]);
    // A task that is only named takes anything.
    expectTypeOf(() => fanloop.map('look-up', [1])).returns.resolves.toEqualTypeOf<unknown[]>();
    expect(wrong).toBeTypeOf('function');
  });

  it('come with the name of the task’s file', () => {
    expect(lookUp.file).toMatch(/test\/client\/fanloop\.test\.ts$/);
  });
});

function circular(): unknown {
  const item: Record<string, unknown> = {};
  item['self'] = item;
  return item;
}
