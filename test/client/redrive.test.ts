import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/client/job.ts';
import { reasonOf } from '../../src/format/digest.ts';
import type { Row } from '../../src/format/outcome.ts';
import { TaskError } from '../../src/task/errors.ts';
import { ClientWorld, repeat } from './client-world.ts';

/** A world whose downstream refuses some items until it is mended. */
function brokenWorld() {
  const state = { mended: false };
  const world = new ClientWorld(
    (item) => {
      const n = Number(item['n']);
      if (!state.mended && n % 10 === 3) throw new TaskError('not found', { code: 'HttpStatus404', status: 404 });
      if (!state.mended && n % 10 === 7) throw new TaskError('no such plan', { code: 'NoPlan', status: 403 });
      return n * 2;
    },
    { attempts: 1 },
  );
  return { world, state };
}

const rowsOf = (world: ClientWorld, job: Job): Promise<Row[]> => world.during(Array.fromAsync(job.results()));

/** Holds the job to its promise: one row an item, and a summary that says the same. */
async function expectWhole(world: ClientWorld, job: Job, items: number): Promise<Row[]> {
  const rows = await rowsOf(world, job);
  expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: items }, (_, n) => n));
  const { totals, ...summary } = await world.during(job.summary());
  const codes: Record<string, number> = {};
  for (const row of rows) {
    if (row.status === 'failed') codes[reasonOf(row.error)] = (codes[reasonOf(row.error)] ?? 0) + 1;
  }
  const of = (status: Row['status']) => rows.filter((row) => row.status === status).length;
  expect(summary.items).toBe(items);
  expect(totals).toMatchObject({ succeeded: of('succeeded'), failed: of('failed'), cancelled: of('cancelled'), codes });
  return rows;
}

describe('redrive', () => {
  it('runs the chosen items again, and readers see one result set of 1,000', async () => {
    const { world, state } = brokenWorld();
    const job = await world.during(world.connect().submit('t', repeat(1_000)));
    await expectWhole(world, job, 1_000);
    const before = world.calls.started.length;
    expect(before).toBe(1_000);
    state.mended = true;
    expect(await world.during(job.redrive({ codes: ['HttpStatus404'] }))).toBe(100);
    const rows = await expectWhole(world, job, 1_000);
    expect(world.calls.started.length - before).toBe(100);
    expect(rows.filter(({ status }) => status === 'failed')).toHaveLength(100);
    expect(rows[13]).toMatchObject({ status: 'succeeded', value: 26 });
    // Times go on counting from the job's begin.
    const at = (index: number) => (rows[index] as { at?: number }).at ?? -1;
    expect(at(13)).toBeGreaterThan(Math.max(...rows.map(({ index }) => (index % 10 === 3 ? 0 : at(index)))));
    // Another process, another pass: what is left, by its status.
    const found = world.connect().find(job.id);
    expect(await world.during(found.redrive({ statuses: [403] }))).toBe(100);
    const all = await expectWhole(world, found, 1_000);
    expect(all.every((row) => row.status === 'succeeded' && row.value === row.index * 2)).toBe(true);
    expect(await world.during(found.summary())).toMatchObject({ end: 'done', passes: 2 });
    // Each pass is kept.
    expect(world.store.keys(`jobs/${job.id}/`).filter((key) => key.endsWith('/summary.json'))).toHaveLength(3);
    expect(world.store.keys('running/')).toEqual([]);
    world.stop();
  });

  it('gives the calls of a pass keys of their own, unless the same are wanted', async () => {
    const { world } = brokenWorld();
    const job = await world.during(world.connect().submit('t', repeat(40)));
    await rowsOf(world, job);
    const keysOf = async (sameKey: boolean): Promise<readonly string[]> => {
      const before = world.calls.started.length;
      await world.during(job.redrive({ codes: ['NoPlan'], sameKey }));
      await rowsOf(world, job);
      return world.calls.started
        .slice(before)
        .map(({ key }) => key)
        .toSorted();
    };
    const own = [7, 17, 27, 37].map((n) => `${job.id}/${n}`).toSorted();
    expect(await keysOf(false)).toEqual(own.map((key) => `${key}/1`));
    expect(await keysOf(true)).toEqual(own);
    world.stop();
  });

  it('calls each item of a long pass once: the result of the job itself is not that of the pass', async () => {
    const { world, state } = brokenWorld();
    const job = await world.during(world.connect().submit('t', repeat(200, { ms: 9_000 }), { concurrency: 100 }));
    await rowsOf(world, job);
    state.mended = true;
    const before = world.calls.started.length;
    await world.during(job.redrive({ concurrency: 1 }));
    await expectWhole(world, job, 200);
    expect(world.calls.started.length - before).toBe(40);
    world.stop();
  });

  it('takes an index only from the entries of a pass, never from those of a caller', async () => {
    const { world } = brokenWorld();
    const entries = repeat(30).map((item) => ({ item, index: 7 }));
    const bytes = async function* () {
      yield Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    };
    const job = await world.during(world.connect().submit('t', { input: bytes(), format: 'entries' }));
    await rowsOf(world, job);
    expect(new Set(world.calls.started.map(({ key }) => key)).size).toBe(30);
    expect(await world.during(job.redrive({ codes: ['NoPlan'] }))).toBe(3);
    await rowsOf(world, job);
    const again = world.calls.started.slice(30).map(({ key }) => key);
    expect(again.toSorted()).toEqual([7, 17, 27].map((n) => `${job.id}/${n}/1`).toSorted());
    world.stop();
  });

  it('ends whole when workers die in the middle of a pass', async () => {
    const { world, state } = brokenWorld();
    const job = await world.during(world.connect().submit('t', repeat(1_000, { ms: 2_000 })));
    await rowsOf(world, job);
    state.mended = true;
    world.deathOdds = 0.5;
    await world.during(job.redrive());
    await world.during(job.summary());
    const rows = await expectWhole(world, job, 1_000);
    expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
    world.stop();
  });

  it('keeps the outcomes of a pass that is cancelled, and runs its rest by the next', async () => {
    const { world, state } = brokenWorld();
    const job = await world.during(world.connect().submit('t', repeat(400, { ms: 4_000 }), { concurrency: 10 }));
    await rowsOf(world, job);
    state.mended = true;
    await world.during(job.redrive({ concurrency: 1 }));
    await world.during(world.clock.sleep(30_000));
    expect(await world.during(job.cancel())).toBe('cancelling');
    const rows = await expectWhole(world, job, 400);
    const cancelled = rows.filter(({ status }) => status === 'cancelled').length;
    expect(cancelled).toBeGreaterThan(0);
    expect(await world.during(job.redrive({ cancelled: true, concurrency: 50 }))).toBe(cancelled);
    expect((await expectWhole(world, job, 400)).every(({ status }) => status === 'succeeded')).toBe(true);
    world.stop();
  });

  it('refuses a job that runs, one that nobody knows, and a choice without items', async () => {
    const { world } = brokenWorld();
    const fanloop = world.connect();
    const job = await world.during(fanloop.submit('t', repeat(40, { ms: 5_000 })));
    await expect(world.during(job.redrive())).rejects.toMatchObject({ code: 'InvalidRequest' });
    await rowsOf(world, job);
    await expect(world.during(job.redrive({ codes: ['Timeout'] }))).rejects.toMatchObject({ code: 'EmptyInput' });
    const none = fanloop.find('zzzzzzzzzzzzzzzzzzzz');
    await expect(world.during(none.redrive())).rejects.toMatchObject({ code: 'JobNotFound' });
    world.stop();
  });

  it('starts one pass for two who ask at once', async () => {
    const { world, state } = brokenWorld();
    const fanloop = world.connect();
    const job = await world.during(fanloop.submit('t', repeat(100)));
    await rowsOf(world, job);
    state.mended = true;
    const before = world.calls.started.length;
    const both = await world.during(Promise.allSettled([job.redrive(), world.connect().find(job.id).redrive()]));
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expectWhole(world, job, 100);
    expect(world.calls.started.length - before).toBe(20);
    world.stop();
  });
});
