import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJobId, jobIdTime, newJobId } from '../../src/format/job-id.ts';
import { jobIdOf } from '../../src/start/identity.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestClock } from '../support/test-clock.ts';

const moment = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2100-01-01') });

describe('newJobId', () => {
  it('sorts a later job first, keeps its moment, and is known as a job id', () => {
    fc.assert(
      fc.property(moment, moment, fc.integer(), (a, b, seed) => {
        const random = seededRandom(seed);
        const [first, second] = [newJobId(a, random), newJobId(b, random)];
        if (a !== b) expect(first < second).toBe(a > b);
        expect(jobIdTime(first)).toBe(a);
        expect(isJobId(first)).toBe(true);
      }),
    );
  });

  it('gives different ids in one millisecond', () => {
    const random = seededRandom(1);
    expect(new Set(Array.from({ length: 1_000 }, () => newJobId(0, random))).size).toBe(1_000);
  });

  it.each(['', 'abc', '0123456789abcdefghji', '../0123456789abcdefg', '0123456789ABCDEFGHJK'])(
    'takes "%s" for no job id',
    (text) => {
      expect(isJobId(text)).toBe(false);
    },
  );
});

describe('jobIdOf', () => {
  const deps = () => ({ store: new MemoryStore(), clock: new TestClock(), random: seededRandom(1) });

  it('gives one job for one token, also later, and another for another', async () => {
    const world = deps();
    const first = await jobIdOf(world, 'a token with spaces/and é');
    await world.clock.advance(60_000);
    expect(await jobIdOf(world, 'a token with spaces/and é')).toBe(first);
    expect(await jobIdOf(world, 'another')).not.toBe(first);
  });

  it('gives one job to many who ask at once', async () => {
    const world = deps();
    const ids = await Promise.all(Array.from({ length: 20 }, () => jobIdOf(world, 't')));
    expect(new Set(ids).size).toBe(1);
  });

  it('takes a token that is a job id for that job, and writes nothing', async () => {
    const world = deps();
    const id = newJobId(5, world.random);
    expect(await jobIdOf(world, id)).toBe(id);
    expect(world.store.objects.size).toBe(0);
  });
});
