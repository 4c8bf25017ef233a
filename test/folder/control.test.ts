import { expect, it } from 'vitest';
import { changeControl, readSeenControl } from '../../src/folder/control.ts';
import { firstControl } from '../../src/format/control.ts';
import { Pace } from '../../src/worker/pace.ts';
import { MemoryStore } from '../support/memory-store.ts';

it('tells no pace of refusals that was for other seats than are at work, to a worker that sees two changes at once', async () => {
  const now = 1_000_000;
  const store = new MemoryStore();
  const job = { id: 'j', pass: 0 };
  const table = { limits: { rate: { limit: 1_000, perMs: 1_000 } }, seats: 5 };
  const first = firstControl(table);
  const pace = new Pace({ now, control: first, concurrency: 500, timeoutMs: 1_000 });
  pace.takes({ seat: 0, isLive: () => true, taken: () => 0 }, now, 20);
  const change = (wanted: Parameters<typeof changeControl>[2]) =>
    changeControl({ store, now: () => now }, { job, first, by: 'turn:1' }, wanted);
  const brake = { perSecond: 100, revision: first.revision + 1 };
  await change(() => ({ table: { ...table, idle: [1, 2, 3, 4] }, brake }));
  expect((await change(() => ({ state: 'paused' }))).brake).toEqual(brake);
  await change(() => ({ state: 'running', table }));
  pace.saw(await readSeenControl(store, job), now, now);
  expect(pace.gate.brakedTo(now)).toBe(20);
});
