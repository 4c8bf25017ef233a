import { describe, expect, it } from 'vitest';
import { controlOf } from '../../src/folder/control.ts';
import { readManifest, readTable } from '../../src/folder/read.ts';
import { readSeat } from '../../src/folder/seats.ts';
import { partSegmentsPrefix, seatKey } from '../../src/format/paths.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { HeldSeat } from '../../src/worker/held-seat.ts';
import { Pace } from '../../src/worker/pace.ts';
import { RunningJob } from '../../src/worker/running-job.ts';
import { SeatLease } from '../../src/worker/seat-lease.ts';
import { slowTask, World } from '../job/world.ts';

const nothing = { open: [], hand: [], debt: { callsMs: 0, unitsMs: 0 }, status: { running: 0 } };

/** The only seat of a job, whose earlier holder has chunk 0 under way in the note of seat 1. */
async function takenOver() {
  const world = new World();
  const { task } = slowTask(world.clock, () => 1);
  world.tasks = { t: task };
  const items = Array.from({ length: 40 }, (_, n) => ({ n }));
  const { jobId } = await world.ask({ task: 't', items, options: { limits: { maxConcurrency: 5 } } });
  const folder = { id: jobId, pass: 0 };
  const [manifest, table] = await Promise.all([readManifest(world.store, folder), readTable(world.store, folder, 0)]);
  const [bounds] = table?.chunks ?? [];
  if (manifest === undefined || bounds === undefined) throw new Error('expected a job that is cut');
  const take = async (deps: typeof before, seat: number): Promise<SeatLease> => {
    const stored = await readSeat(world.store, folder, seat);
    const claim = await SeatLease.take(deps, folder, { seat, stored, intervalMs: 0 });
    if (claim.kind !== 'taken') throw new Error(`expected seat ${seat} to be free`);
    return claim.lease;
  };
  const before = world.invoke().deps;
  const begun = [workMessage(folder, { part: 0, chunk: 0, bounds }, 0)];
  const beyond = await take(before, 1);
  await beyond.write({ ...nothing, open: begun, status: { running: 1 } });
  const left = await take(before, 0);
  await left.write({ ...nothing, drain: { seat: 1, running: 1, ms: 100_000 } }, 'released');
  const { deps } = world.invoke();
  const now = world.clock.now();
  const pace = new Pace({ now, control: controlOf(manifest), concurrency: 100, timeoutMs: 1_000 });
  const seat = new HeldSeat(deps, new RunningJob(manifest, task, pace), await take(deps, 0));
  pace.seats.add(seat);
  pace.update(now);
  /** The earlier holder leaves the chunk, and this one looks. */
  const leave = async (): Promise<void> => {
    await beyond.write({ ...nothing, hand: begun }, 'released');
    await seat.lookAtDrain();
  };
  return { world, folder, seat, leave, chunks: table?.chunks.length ?? 0 };
}

describe('HeldSeat', () => {
  it.each([
    ['has read the notes', (job: { id: string; pass: number }) => seatKey(job, 1)],
    ['goes through the chunks', (job: { id: string; pass: number }) => partSegmentsPrefix(job, 0)],
  ])('takes over what its earlier holder leaves while it %s', async (_, keyOf) => {
    const { world, folder, seat, leave, chunks } = await takenOver();
    let times = 0;
    world.store.after = async ({ key }) => {
      if (key === keyOf(folder) && times++ === 0) await leave();
    };
    const begun: number[] = [];
    for (let n = 0; n <= chunks; n++)
      begun.push(...(await world.clock.run(seat.begin(0))).map(({ message }) => message.chunk));
    expect(times).toBeGreaterThan(0);
    expect(begun.toSorted((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (__, chunk) => chunk));
    expect(seat.isScanned).toBe(true);
  });
});
