import { expect, it } from 'vitest';
import { jobStatus } from '../../src/client/job-status.ts';
import { seatKey } from '../../src/format/paths.ts';
import { type SeatNote, seatFormat } from '../../src/format/seat.ts';
import { ClientWorld, repeat } from './client-world.ts';

const goneBefore = { held: 0, seats: 1, running: 0, before: { running: 3 } };

it.each([
  ['workers of its own cloud are at work', 5_000, 60_000, { held: 1, seats: 1, running: 3 }],
  ['they began in the second in which its own cloud did, and after it', 300, 400, { held: 1, seats: 1, running: 3 }],
  ['its own cloud began after them', 5_000, 1_000, goneBefore],
  ['its own cloud began after them, in the same second', 300, 200, goneBefore],
  ['no worker of its own cloud is known', 300, undefined, goneBefore],
])('tells in a program whose cloud ends with it what of the limits is used: %s', async (_, ageMs, runsMs, used) => {
  const world = new ClientWorld(() => 1);
  const job = await world.during(
    world.connect().submit('t', repeat(100, { ms: 60_000 }), { limits: { maxConcurrency: 3 } }),
  );
  const note: SeatNote = {
    v: 1,
    seat: 0,
    epoch: 9,
    writer: 'w',
    writes: 0,
    phase: 'held',
    leaseMs: 30_000,
    open: [],
    hand: [],
    debt: { callsMs: 0, unitsMs: 0, at: world.clock.now() },
    status: { running: 3 },
  };
  await world.store.put(seatKey(job.id, 0), seatFormat.encode(note));
  await world.clock.advance(ageMs);
  const { stack } = world;
  const runsSince = runsMs === undefined ? {} : { runsSince: world.clock.now() - runsMs };
  const status = await jobStatus({ ...stack, outlivesProcess: () => false, ...runsSince }, job.id);
  expect(status).toMatchObject({ state: 'running', used });
});
