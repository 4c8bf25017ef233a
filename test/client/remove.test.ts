import { describe, expect, it } from 'vitest';
import { removeJob, removeOlder } from '../../src/client/remove.ts';
import { jobPrefix, manifestKey } from '../../src/format/paths.ts';
import { ClientWorld, repeat } from './client-world.ts';

const day = 86_400_000;

async function worldOf(ages: readonly number[]) {
  const world = new ClientWorld(() => 1);
  const ids: string[] = [];
  for (const wait of ages) {
    const job = await world.during(world.connect().submit('t', repeat(2, { ms: 1 })));
    await world.during(job.summary());
    ids.push(job.id);
    await world.clock.advance(wait);
  }
  return { world, ids };
}

describe('removeOlder', () => {
  it('removes what began before the moment and has ended, oldest and all, and nothing else', async () => {
    const { world, ids } = await worldOf([10 * day, 10 * day, 5 * day]);
    const running = await world.during(world.connect().submit('t', repeat(40, { ms: 9_000 })));
    expect(await removeOlder(world.store, world.clock.now() - 12 * day)).toEqual([ids[1], ids[0]]);
    expect(world.store.keys(jobPrefix(ids[0] ?? ''))).toEqual([]);
    expect(world.store.keys(manifestKey(ids[2] ?? ''))).toHaveLength(1);
    expect(await removeOlder(world.store, world.clock.now() + day)).toEqual([ids[2]]);
    expect(world.store.keys(manifestKey(running.id))).toHaveLength(1);
  });

  it('asks once where nothing is old', async () => {
    const { world } = await worldOf([1, 1, 1]);
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
