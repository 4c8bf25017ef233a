import { describe, expect, it } from 'vitest';
import { removeJob, removeOlder } from '../../src/client/remove.ts';
import { newJobId } from '../../src/format/job-id.ts';
import { jobPrefix, manifestKey, resultKey, summaryKey } from '../../src/format/paths.ts';
import { goldenRecord } from '../support/golden-record.ts';
import { ClientWorld } from './client-world.ts';

const day = 86_400_000;

/** Jobs that began some days ago and have ended. */
async function worldOf(ages: readonly number[]) {
  const world = new ClientWorld(() => 1);
  const ids = ages.map((age) => newJobId(world.clock.now() - age, world.random));
  for (const jobId of ids) {
    await world.store.put(manifestKey(jobId), goldenRecord('manifest', { jobId }));
    await world.store.put(resultKey(jobId, { part: 0, chunk: 0 }), '');
    await world.store.put(resultKey(jobId, { part: 0, chunk: 1 }), '');
    await world.store.put(summaryKey(jobId), goldenRecord('summary', { jobId }));
  }
  return { world, ids };
}

describe('removeOlder', () => {
  it('removes what began before the moment and has ended, and nothing else', async () => {
    const { world, ids } = await worldOf([25 * day, 15 * day, 5 * day]);
    const running = newJobId(world.clock.now() - 20 * day, world.random);
    await world.store.put(manifestKey(running), goldenRecord('manifest', { jobId: running }));
    expect(await removeOlder(world.store, world.clock.now() - 12 * day)).toEqual([ids[1], ids[0]]);
    expect(world.store.keys(jobPrefix(ids[0] ?? ''))).toEqual([]);
    expect(world.store.keys(manifestKey(ids[2] ?? ''))).toHaveLength(1);
    expect(await removeOlder(world.store, world.clock.now())).toEqual([ids[2]]);
    expect(world.store.keys()).toEqual([manifestKey(running)]);
  });

  it('removes a job whose records cannot be read', async () => {
    const { world, ids } = await worldOf([25 * day, 15 * day]);
    await world.store.put(manifestKey(ids[0] ?? ''), '{');
    await world.store.put(summaryKey(ids[1] ?? ''), '"x"');
    await removeJob(world.store, ids[1] ?? '');
    expect(await removeOlder(world.store, world.clock.now())).toEqual([ids[0]]);
    expect(world.store.keys()).toEqual([]);
  });

  it('removes no more than it is told to, and asks once where nothing is old', async () => {
    const { world } = await worldOf([40 * day, 35 * day, 33 * day, 1]);
    expect(await removeOlder(world.store, world.clock.now() - 30 * day, 2)).toHaveLength(2);
    expect(await removeOlder(world.store, world.clock.now() - 30 * day, 2)).toHaveLength(1);
    const before = world.store.calls.length;
    expect(await removeOlder(world.store, world.clock.now() - 30 * day)).toEqual([]);
    expect(world.store.calls.length - before).toBe(1);
  });
});

describe('removeJob', () => {
  it('goes on where it was interrupted', async () => {
    const { world, ids } = await worldOf([1]);
    const [id = ''] = ids;
    let deletes = 0;
    world.store.before = ({ operation }) => {
      if (operation === 'delete' && ++deletes > 3) throw new Error('killed');
    };
    await expect(removeJob(world.store, id)).rejects.toThrow('killed');
    world.store.before = undefined;
    await expect(world.connect().find(id).status()).rejects.toMatchObject({ code: 'JobNotFound' });
    await removeJob(world.store, id);
    expect(world.store.keys(jobPrefix(id))).toEqual([]);
    await expect(removeJob(world.store, id)).rejects.toMatchObject({ code: 'JobNotFound' });
  });
});
