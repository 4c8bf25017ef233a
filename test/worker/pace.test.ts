import { describe, expect, it } from 'vitest';
import type { Control } from '../../src/format/control.ts';
import { firstControl } from '../../src/format/control.ts';
import { limits } from '../../src/limits.ts';
import { Pace } from '../../src/worker/pace.ts';

const calls = { maxConcurrency: 500 };
const timeoutMs = 240_000;
/** Three seats have become five. */
const moved: Control = {
  ...firstControl({ limits: calls, seats: 5 }),
  revision: 4,
  before: [{ limits: calls, seats: 3, agedMs: 0 }],
};
const held = (seat: number) => ({ seat, isLive: () => true, taken: () => 0 });
const paceOf = (control: Control, ageMs: number): Pace =>
  new Pace({ now: 1_000_000, control, ageMs, concurrency: 100, timeoutMs });

describe('Pace', () => {
  it('waits for what others had only as long as the control is young, also in a worker that is new', () => {
    const sharesAt = (ageMs: number): number => {
      const pace = paceOf(moved, ageMs);
      pace.seats.add(held(4));
      pace.update(1_000_000);
      return pace.gate.share.calls;
    };
    expect([sharesAt(0), sharesAt(timeoutMs), sharesAt(timeoutMs + limits.raiseAfterMs)]).toEqual([0, 0, 100]);
  });

  it('does not wait anew when somebody changes something else', () => {
    const pace = paceOf({ ...moved, revision: 3 }, 0);
    pace.seats.add(held(4));
    const now = 1_000_000 + timeoutMs + limits.raiseAfterMs;
    const [old] = moved.before;
    const aged = { ...moved, before: old === undefined ? [] : [{ ...old, agedMs: timeoutMs + limits.raiseAfterMs }] };
    pace.saw({ control: aged, ageMs: 0 }, now, now);
    expect(pace.gate.share.calls).toBe(100);
  });

  it('lets a seat go on with its chunks at once when others have nothing left, and waits where chunks have moved', () => {
    const table = { limits: calls, seats: 5 };
    const pace = paceOf({ ...firstControl(table), revision: 3 }, 0);
    const sees = (control: Control): readonly [number, boolean] => {
      pace.saw({ control, ageMs: 0 }, 1_000_000, 1_000_000);
      return [pace.dealtSince, pace.isSettled(1_000_000)];
    };
    const before = [{ ...table, agedMs: 0 }];
    const idle = { ...firstControl({ ...table, idle: [2] }), before };
    expect(sees({ ...idle, revision: 4 })).toEqual([3, true]);
    expect(sees({ ...idle, revision: 5, state: 'paused' })).toEqual([3, true]);
    // Chunks that are not settled have been given out anew.
    const again = { ...idle, generation: 1 };
    expect(sees({ ...again, revision: 6 })).toEqual([6, true]);
    expect(sees({ ...moved, revision: 7, generation: 1 })).toEqual([7, false]);
    // Three seats, and five again: another may have begun chunks meanwhile.
    expect(sees({ ...moved, revision: 8, generation: 1 })).toEqual([8, false]);
    const aged = moved.before.map((old) => ({ ...old, agedMs: limits.raiseAfterMs }));
    expect(sees({ ...moved, revision: 9, generation: 1, before: aged })).toEqual([9, true]);
    const none = { limits: {}, seats: 5 };
    expect(sees({ ...firstControl(none), revision: 10, generation: 1, before })).toEqual([10, false]);
  });

  it('goes on at its part of what refusals have left when others have nothing left, once for each change', () => {
    const table = { limits: { rate: { limit: 1_000, perMs: 1_000 } }, seats: 5 };
    const now = 1_000_000;
    const pace = paceOf({ ...firstControl(table), revision: 3 }, 0);
    pace.takes(held(4), now, undefined);
    pace.takes(held(3), now, undefined);
    const idle = { ...firstControl({ ...table, idle: [2] }), before: [{ ...table, agedMs: 0 }] };
    const brake = { perSecond: 60, revision: 4 };
    pace.saw({ control: { ...idle, revision: 4, brake }, ageMs: 0 }, now, now);
    expect(pace.gate.brakedTo(now)).toBe(120);
    pace.saw({ control: { ...idle, revision: 5, brake: { ...brake, perSecond: 1 } }, ageMs: 0 }, now, now);
    expect(pace.gate.brakedTo(now)).toBe(120);
    // Nobody says what the others had: as much each.
    pace.saw({ control: { ...idle, table: { ...table, idle: [1, 2] }, revision: 6 }, ageMs: 0 }, now, now);
    expect(pace.gate.brakedTo(now)).toBe(160);
  });

  it('heeds what is left of a rest that the downstream has asked for, and none that something else came after', () => {
    const hold = { ms: 120_000, revision: 4 };
    expect(paceOf({ ...moved, hold }, 5_000).gate.restMs(1_000_000)).toBe(115_000);
    expect(paceOf({ ...moved, hold }, 130_000).gate.restMs(1_000_000)).toBe(0);
    expect(paceOf({ ...moved, hold, revision: 5 }, 5_000).gate.restMs(1_000_000)).toBe(0);
  });
});
