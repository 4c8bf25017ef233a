import { describe, expect, it } from 'vitest';
import { readSummary } from '../../src/folder/read.ts';
import { manifestKey, resultKey, segmentsPrefix } from '../../src/format/paths.ts';
import { limits } from '../../src/limits.ts';
import { fanOut } from '../../src/start/fan-out.ts';
import { TaskError } from '../../src/task/errors.ts';
import { slowTask, World } from '../job/world.ts';

function worldWith(...given: Parameters<typeof slowTask> extends [unknown, ...infer Rest] ? Rest : never) {
  const world = new World();
  const { task, calls } = slowTask(world.clock, ...given);
  world.tasks = { t: task };
  return { world, calls };
}

const repeat = (count: number, item: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, n) => ({ n, ...item }));

describe('fanOut', () => {
  it('runs a small job at once and answers with its rows and summary', async () => {
    const { world } = worldWith((item) => item['n']);
    const answer = await world.ask({ task: 't', items: repeat(3, { ms: 1_000 }) });
    if (answer.state !== 'done') throw new Error('expected the job to be done');
    expect(answer.rows?.map((row) => row.status === 'succeeded' && row.value)).toEqual([0, 1, 2]);
    expect(answer.summary).toMatchObject({
      end: 'done',
      items: 3,
      totals: { succeeded: 3, callMs: 3_000 },
      messages: 0,
      turns: 1,
    });
    expect(answer.summary).toEqual(await readSummary(world.store, answer.jobId));
    expect(answer.summary.wallMs).toBe(1_000);
    await world.expectWhole(answer.jobId, 3);
    expect(world.workQueue.sent).toEqual([]);
  });

  it('leaves a guard tick that does nothing more when the job has ended', async () => {
    const { world } = worldWith(() => 1);
    const { jobId } = await world.ask({ task: 't', items: repeat(2) });
    expect(world.tickQueue.sent).toMatchObject([{ delaySeconds: limits.guardTickSeconds }]);
    const keys = world.store.keys();
    world.start();
    await world.clock.advance(120_000);
    world.stop();
    expect(world.store.keys()).toEqual(keys);
    expect(world.tickQueue.messages).toEqual([]);
    expect(jobId).toBeDefined();
  });

  it('hands over what its share of time is too short for, and workers complete the job', async () => {
    const { world, calls } = worldWith(() => 1);
    const answer = await world.ask({ task: 't', items: repeat(20, { ms: 6_000 }), options: { perWorker: 5 } });
    expect(answer).toEqual({ jobId: answer.jobId, state: 'running' });
    expect(world.workQueue.messages).toHaveLength(1);
    world.start();
    const summary = await world.untilEnd(answer.jobId);
    world.stop();
    await world.expectWhole(answer.jobId, 20);
    expect(calls.started).toHaveLength(20);
    expect(summary.totals.handOvers).toBe(1);
    // It does not wait for the guard tick.
    expect(summary.wallMs).toBeLessThan(60_000);
  });

  it('hands over a job whose timeout is longer than its share', async () => {
    const { world } = worldWith(() => 1);
    const answer = await world.ask({ task: 't', items: repeat(2), options: { timeoutMs: 60_000 } });
    expect(answer.state).toBe('running');
    world.start();
    await world.untilEnd(answer.jobId);
    world.stop();
    await world.expectWhole(answer.jobId, 2);
  });

  it('is survived by its job when it dies in the middle: the guard tick takes over', async () => {
    const { world } = worldWith(() => 1);
    const life = world.invoke(60);
    const items = repeat(5, { ms: 5_000 });
    void fanOut(life.deps, { task: 't', items }, '0123456789abcdefghjk');
    await world.clock.run(until(world, () => world.tickQueue.sent.length > 0));
    await world.clock.advance(1_000);
    life.die();
    world.start();
    await world.untilEnd('0123456789abcdefghjk');
    world.stop();
    await world.expectWhole('0123456789abcdefghjk', 5);
  });

  it('gives one job to one token: the second who asks is answered with the same rows', async () => {
    const { world, calls } = worldWith(() => 1);
    const request = { task: 't', items: repeat(2) };
    const first = await world.ask(request, 'same');
    expect(await world.ask(request, 'same')).toEqual(first);
    expect(calls.started).toHaveLength(2);
    await expect(world.ask({ task: 't', items: repeat(3) }, 'same')).rejects.toMatchObject({ code: 'JobExists' });
  });

  it('gets a job going whose first asker died after the manifest', async () => {
    const { world } = worldWith(() => 1);
    const life = world.invoke();
    const request = { task: 't', items: repeat(3) };
    world.store.after = ({ operation, key }) => {
      if (operation === 'put' && key.endsWith('manifest.json')) life.die();
    };
    void fanOut(life.deps, request, '0123456789abcdefghjk');
    await world.clock.run(until(world, () => world.store.objects.has(manifestKey('0123456789abcdefghjk'))));
    world.store.after = undefined;
    expect((await world.ask(request, '0123456789abcdefghjk')).state).toBe('running');
    world.start();
    await world.untilEnd('0123456789abcdefghjk');
    world.stop();
    await world.expectWhole('0123456789abcdefghjk', 3);
  });

  it.each([{}, { maxConcurrency: 2 }])(
    'answers that the job is running when its result could not be stored, and the job ends later, with limits %j',
    async (jobLimits) => {
      const { world } = worldWith(() => 1);
      world.store.before = ({ operation, key }) => {
        if (operation === 'put' && key.includes('/results/')) throw new Error('no route');
      };
      const answer = await world.ask({ task: 't', items: repeat(3), options: { limits: jobLimits } });
      expect(answer.state).toBe('running');
      world.store.before = undefined;
      const leftAt = world.clock.now();
      world.start();
      await world.untilEnd(answer.jobId);
      // No lease has to run out first: nobody has what was given up.
      expect(world.clock.now() - leftAt).toBeLessThan(10_000);
      world.stop();
      await world.expectWhole(answer.jobId, 3);
      expect(world.store.objects.has(resultKey(answer.jobId, { part: 0, chunk: 0 }))).toBe(true);
    },
  );

  it.each(
    ['manifest.json', '/ticks/', '/seats/', '/results/', 'summary.json'].flatMap((what) => [
      [what, {}] as const,
      [what, { maxConcurrency: 2 }] as const,
    ]),
  )('knows its own write of %s again whose answer was lost, with limits %j', async (what, jobLimits) => {
    const { world, calls } = worldWith(() => 1);
    const repeated: string[] = [];
    world.store.repeats = ({ operation, key }) => {
      if (operation !== 'put' || !key.includes(what)) return false;
      repeated.push(key);
      return true;
    };
    const { jobId } = await world.ask({ task: 't', items: repeat(4, { ms: 1_000 }), options: { limits: jobLimits } });
    world.start();
    const { wallMs } = await world.untilEnd(jobId);
    world.stop();
    await world.expectWhole(jobId, 4);
    expect(calls.started).toHaveLength(4);
    expect(wallMs).toBeLessThan(15_000);
    expect(repeated.length > 0 || (what === '/seats/' && !('maxConcurrency' in jobLimits))).toBe(true);
  });

  it.each([
    ['in its result', 0],
    ['in segments', 300_000],
  ])('answers without rows that are larger than an answer may be: %s', async (_, more) => {
    const { world } = worldWith(() => 'v'.repeat(600_000 + more));
    const [task] = Object.values(world.tasks);
    if (task !== undefined) world.tasks = { t: { ...task, maxValueBytes: limits.maxValueBytes } };
    const token = 'large';
    const request = { task: 't', items: repeat(12) };
    const answer = await world.ask(request, token);
    expect(answer).toMatchObject({ state: 'done', summary: { totals: { succeeded: 12 } } });
    expect(answer).not.toHaveProperty('rows');
    expect(await world.ask(request, token)).toEqual(answer);
    expect(world.store.keys(segmentsPrefix(answer.jobId, { part: 0, chunk: 0 })).length > 0).toBe(more > 0);
    await world.expectWhole(answer.jobId, 12);
  });

  it('answers without rows for a job that workers ran, when it is asked again after its end', async () => {
    const { world } = worldWith(() => 1);
    const request = { task: 't', items: repeat(30) };
    const { jobId } = await world.ask(request, 'again');
    world.start();
    const summary = await world.untilEnd(jobId);
    world.stop();
    expect(await world.ask(request, 'again')).toEqual({ jobId, state: 'done', summary });
  });

  it('answers with rows that failed, by their codes', async () => {
    const { world } = worldWith(() => {
      throw new TaskError('no', { code: 'Gone' });
    });
    const answer = await world.ask({ task: 't', items: repeat(2) });
    expect(answer).toMatchObject({
      state: 'done',
      summary: { end: 'done', totals: { failed: 2, codes: { Gone: 2 } } },
    });
  });
});

async function until(world: World, isSo: () => boolean): Promise<void> {
  while (!isSo()) await world.clock.settle();
}
