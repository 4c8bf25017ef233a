import { expect, it } from 'vitest';
import type { Progress } from '../../src/client/progress.ts';
import { brakesPrefix } from '../../src/format/paths.ts';
import { TaskError } from '../../src/task/errors.ts';
import { ClientWorld, repeat } from './client-world.ts';

/** A downstream that takes so many calls a second, and refuses the others. */
function refusing(perSecond: number) {
  const taken: number[] = [];
  const world: ClientWorld = new ClientWorld(() => {
    const now = world.clock.now();
    while ((taken[0] ?? now) <= now - 1_000) taken.shift();
    if (taken.length >= perSecond)
      throw new TaskError('too many', { code: 'HTTP429', status: 429, retryable: true, retryAfterMs: 1_000 });
    taken.push(now);
    return 1;
  });
  return world;
}

it('shows while a job without limits runs how many calls were refused, and to what pace that has brought it', async () => {
  const world = refusing(20);
  const job = await world.during(world.connect().submit('t', repeat(1_000, { ms: 10 })));
  const seen: Progress[] = [];
  const watch = async (): Promise<void> => {
    for await (const progress of job.progress()) seen.push(progress);
  };
  await world.during(watch());
  const braked = seen.filter(({ brakedTo, items }) => brakedTo !== undefined && items > 200 && items < 900);
  expect(braked.length).toBeGreaterThan(0);
  for (const { refusals } of braked) expect(refusals).toBeGreaterThan(0);
  const paces = braked.map(({ brakedTo = 0 }) => brakedTo).toSorted((a, b) => a - b);
  expect(paces[Math.floor(paces.length / 2)]).toBeGreaterThan(8);
  expect(paces[Math.floor(paces.length / 2)]).toBeLessThan(40);
  expect((await world.during(job.status())).progress.brakedTo).toBeUndefined();
});

it('writes nothing of refusals where none is', async () => {
  const calm = refusing(100_000);
  const job = await calm.during(calm.connect().submit('t', repeat(1_000, { ms: 10 })));
  await calm.during(job.summary());
  expect(await calm.store.list(brakesPrefix(job.id))).toEqual([]);
});
