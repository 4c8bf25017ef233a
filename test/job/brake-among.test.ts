import { describe, expect, it } from 'vitest';
import type { SeatStatus } from '../../src/format/seat.ts';
import type { SeatView } from '../../src/job/bells.ts';
import { brakeAmong } from '../../src/job/brake-among.ts';

const load = (perSecond: number) => ({ perSecond, unitsPerSecond: 0, slots: 0, loop: 0, heldUp: false });
const seat = (n: number, status: Omit<SeatStatus, 'running'>): SeatView => ({
  note: {
    v: 1,
    seat: n,
    epoch: 1,
    writer: 'w',
    writes: 1,
    phase: 'held',
    leaseMs: 30_000,
    open: [],
    hand: [],
    debt: { callsMs: 0, unitsMs: 0 },
    status: { running: 0, ...status },
  },
  isFree: false,
});
const table = { limits: { rate: { limit: 900, perMs: 1_000 } }, seats: 3 };
const braked = [seat(0, { brakedTo: 40 }), seat(1, { brakedTo: 80 }), seat(2, { brakedTo: 30 })];

describe('brakeAmong', () => {
  it('gives those who stay what those had who leave', () => {
    expect(brakeAmong(braked, table, { seats: 3, idle: [1] })).toBe(75);
    expect(brakeAmong(braked, table, { seats: 1 })).toBe(150);
    expect(brakeAmong(braked, { ...table, idle: [1] }, { seats: 3, idle: [0, 1] })).toBe(70);
  });

  it('takes of each no more than it may, and of one that nothing slows down what it does', () => {
    const [first = seat(0, {}), second = seat(1, {})] = braked;
    expect(brakeAmong([first, second, seat(2, { brakedTo: 4_000 })], table, { seats: 2 })).toBe((40 + 80 + 300) / 2);
    expect(brakeAmong([first, second, seat(2, { load: load(280) })], table, { seats: 2 })).toBe((40 + 80 + 280) / 2);
  });

  it('says nothing where nothing slows the job down, or what a seat does is not known', () => {
    expect(brakeAmong([], table, { seats: 2 })).toBeUndefined();
    expect(brakeAmong(braked.slice(1), table, { seats: 2 })).toBeUndefined();
    expect(brakeAmong([...braked.slice(1), seat(0, {})], table, { seats: 2 })).toBeUndefined();
    const free = [0, 1, 2].map((n) => seat(n, { load: load(300) }));
    expect(brakeAmong(free, table, { seats: 2 })).toBeUndefined();
  });
});
