import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeatNote } from '../../src/format/seat.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { bellsFor, type Ringing, type SeatView } from '../../src/job/bells.ts';

const now = 1_000_000;
const chunk = workMessage('j', { part: 0, chunk: 0, bounds: { start: 0, end: 9, first: 0, count: 1 } });

const seat = (n: number, of: Partial<SeatNote> = {}, isFree = true): SeatView => ({
  note: {
    v: 1,
    seat: n,
    epoch: 1,
    writer: 'w',
    writes: 1,
    phase: 'released',
    leaseMs: 30_000,
    open: [],
    hand: [],
    debt: { callsMs: 0, unitsMs: 0 },
    status: { running: 0 },
    ...of,
  },
  isFree,
});

const ringing = (seats: number, views: readonly SeatView[], more: Partial<Ringing> = {}): Ringing => ({
  control: { revision: 2, table: { limits: { maxConcurrency: 500 }, seats } },
  seats: views,
  to: 10,
  all: false,
  now,
  rung: {},
  ...more,
});

const done = { revision: 2, to: 10 };

describe('bellsFor', () => {
  it.each<[string, Ringing, readonly number[]]>([
    ['seats that nobody has ever taken', ringing(3, []), [0, 1, 2]],
    ['no seat that is held', ringing(2, [seat(0, { phase: 'held' }, false)]), [1]],
    ['no seat whose chunks are done', ringing(1, [seat(0, { done })]), []],
    ['a seat that was done before the control changed', ringing(1, [seat(0, { done: { revision: 1, to: 10 } })]), [0]],
    ['a seat that was done before more was given out', ringing(1, [seat(0, { done: { revision: 2, to: 9 } })]), [0]],
    ['a seat that has something in hand', ringing(1, [seat(0, { done, hand: [chunk] })]), [0]],
    ['none whose hand waits', ringing(1, [seat(0, { done, hand: [{ ...chunk, notBefore: now + 1 }] })]), []],
    ['a seat whose holder died with a chunk', ringing(1, [seat(0, { done, phase: 'held', open: [chunk] })]), [0]],
    [
      'who takes over the hand of a seat that is no more',
      ringing(2, [seat(0, { done }), seat(1, { done }), seat(3, { hand: [chunk] })]),
      [1],
    ],
    ['none that was rung for a moment ago', ringing(1, [], { rung: { 0: now - 19_999 } }), []],
    ['again when that bell may be lost', ringing(1, [], { rung: { 0: now - 20_000 } }), [0]],
    [
      'again when its holder has heard that bell and is gone',
      ringing(1, [{ ...seat(0), goneMs: 2_000 }], { rung: { 0: now - 3_000 } }),
      [0],
    ],
    [
      'none that was rung for since its holder is gone',
      ringing(1, [{ ...seat(0), goneMs: 4_000 }], { rung: { 0: now - 3_000 } }),
      [],
    ],
    ['again when the clock that rang was ahead', ringing(1, [], { rung: { 0: now + 60_000 } }), [0]],
    [
      'all that are free when somebody asks',
      ringing(2, [seat(0, { done })], { all: true, rung: { 0: now - 1 } }),
      [0, 1],
    ],
  ])('rings for %s', (_, given, bells) => {
    expect(bellsFor(given)).toEqual(bells);
  });

  it('rings only for free seats of the table, each once', () => {
    const view = fc.record({ n: fc.nat(8), isFree: fc.boolean(), isDone: fc.boolean(), has: fc.boolean() });
    const views = fc.uniqueArray(view, { selector: ({ n }) => n });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), views, fc.boolean(), (seats, given, all) => {
        const known = given.map(({ n, isFree, isDone, has }) =>
          seat(n, { ...(isDone ? { done } : {}), hand: has ? [chunk] : [] }, isFree),
        );
        const bells = bellsFor(ringing(seats, known, { all }));
        expect(new Set(bells).size).toBe(bells.length);
        for (const n of bells) {
          expect(n).toBeLessThan(seats);
          expect(given.find((one) => one.n === n)?.isFree ?? true).toBe(true);
        }
        // Whatever is in the hand of a free seat is called for: by its own bell, or by that of who takes over.
        for (const { n, isFree, has } of given) {
          const heir = n % seats;
          const heirIsFree = given.find((one) => one.n === heir)?.isFree ?? true;
          if (has && isFree && heirIsFree) expect(bells).toContain(heir);
        }
      }),
    );
  });
});
