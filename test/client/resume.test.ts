import { describe, expect, it } from 'vitest';
import { resumeJobs } from '../../src/client/steer.ts';
import { newJobId } from '../../src/format/job-id.ts';
import { manifestKey, markersKey, runningKey, runningPrefix, summaryKey } from '../../src/format/paths.ts';
import { goldenRecord } from '../support/golden-record.ts';
import { ClientWorld, repeat } from './client-world.ts';

/** Jobs that have ended, as an older version left them or as this one does. */
async function ended(world: ClientWorld, jobs: number): Promise<void> {
  for (let n = 0; n < jobs; n++) {
    const jobId = newJobId(world.clock.now() - n, world.random);
    await world.store.put(manifestKey(jobId), goldenRecord('manifest', { jobId }));
    await world.store.put(summaryKey(jobId), goldenRecord('summary', { jobId }));
  }
}

const requestsOf = async (world: ClientWorld): Promise<number> => {
  const before = world.store.calls.length;
  await resumeJobs(world.invoke().deps);
  return world.store.calls.length - before;
};

describe('resumeJobs', () => {
  it('asks as little in a folder of 1,000 jobs as in one of none', async () => {
    const [empty, full] = [new ClientWorld(() => 1), new ClientWorld(() => 1)];
    await ended(full, 1_000);
    for (const world of [empty, full]) await resumeJobs(world.invoke().deps);
    expect(await requestsOf(full)).toBe(await requestsOf(empty));
    expect(await requestsOf(full)).toBe(2);
  });

  it('moves the jobs that an older version left without markers, looking for them once', async () => {
    const world = new ClientWorld((item) => item['n']);
    const { id } = await world.during(world.connect().submit('t', repeat(40, { ms: 2_000 })));
    await ended(world, 5);
    await world.store.delete(runningKey(id));
    world.workQueue.messages = [];
    world.tickQueue.messages = [];
    expect(await resumeJobs(world.invoke().deps)).toBe(1);
    expect(world.store.keys(runningPrefix)).toEqual([runningKey(id)]);
    expect(world.store.json(markersKey)).toEqual({ v: 1 });
    await world.during(world.connect().find(id).summary());
    await world.expectWhole(id, 40);
    expect(world.store.keys(runningPrefix)).toEqual([]);
  });

  it('takes away markers that say nothing any more', async () => {
    const world = new ClientWorld(() => 1);
    const { id } = await world.during(world.connect().submit('t', repeat(3, { ms: 1 })));
    await world.store.put(runningKey(id), '{"v":1}');
    // A fan-out of somebody else died before its manifest.
    await world.store.put(runningKey('0123456789abcdefghjk'), '{"v":1}');
    expect(await resumeJobs(world.invoke().deps)).toBe(0);
    expect(world.store.keys(runningPrefix)).toEqual([]);
  });

  it('leaves a job alone that only newer code can read, and moves the others', async () => {
    const world = new ClientWorld(() => 1);
    const { id } = await world.during(world.connect().submit('t', repeat(40, { ms: 2_000 })));
    const newer = newJobId(world.clock.now() + 1, world.random);
    await world.store.put(runningKey(newer), '{"v":99}');
    expect(await resumeJobs(world.invoke().deps)).toBe(1);
    expect(world.store.keys(runningPrefix)).toEqual([runningKey(newer), runningKey(id)]);
  });

  it('begins what was asked for and never began', async () => {
    const world = new ClientWorld(() => 1);
    const jobId = newJobId(world.clock.now(), world.random);
    await world.store.put(runningKey(jobId), JSON.stringify({ v: 1, request: { task: 't', items: repeat(4) } }));
    expect(await world.during(resumeJobs(world.invoke().deps))).toBe(1);
    await world.during(world.connect().find(jobId).summary());
    await world.expectWhole(jobId, 4);
  });
});
