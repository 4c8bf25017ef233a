import { describe, expect, it } from 'vitest';
import { TurnTimers } from '../../src/worker/turn-timers.ts';

/** A clock whose timers ring by hand. */
function handClock() {
  const timers: Array<{ readonly at: number; readonly callback: () => void }> = [];
  const clock = {
    time: 0,
    now: () => clock.time,
    after: (delayMs: number, callback: () => void) => {
      const timer = { at: clock.time + delayMs, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    /** Sets the time, and rings what is due. */
    async pass(to: number): Promise<void> {
      clock.time = to;
      for (const timer of timers.filter(({ at }) => at <= to)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.callback();
      }
      await Promise.resolve();
    },
  };
  return { clock, timers };
}

describe('TurnTimers', () => {
  it('makes one timer for all that start in one turn with the same time', async () => {
    const { clock, timers } = handClock();
    const shared = new TurnTimers(clock);
    const rung: number[] = [];
    for (const n of [1, 2, 3]) shared.after(100, () => rung.push(n));
    expect(timers).toHaveLength(1);
    await clock.pass(100);
    expect(rung).toEqual([1, 2, 3]);
  });

  it('shares none with another time, another millisecond, or another turn, even where the clock was set back', async () => {
    const { clock, timers } = handClock();
    const shared = new TurnTimers(clock);
    const nothing = (): void => undefined;
    shared.after(100, nothing);
    shared.after(200, nothing);
    clock.time = 5;
    shared.after(200, nothing);
    shared.turn();
    shared.after(200, nothing);
    expect(timers.map(({ at }) => at)).toEqual([100, 200, 205, 205]);
  });

  it('rings only for those that were not taken back, and forgets the timer of which all were', async () => {
    const { clock, timers } = handClock();
    const shared = new TurnTimers(clock);
    const rung: number[] = [];
    const [first, , third] = [1, 2, 3].map((n) => shared.after(100, () => rung.push(n)));
    first?.();
    first?.();
    await clock.pass(100);
    expect(rung).toEqual([2, 3]);
    third?.();
    const only = shared.after(100, () => rung.push(4));
    only();
    expect(timers).toEqual([]);
    shared.after(100, () => rung.push(5));
    await clock.pass(200);
    expect(rung).toEqual([2, 3, 5]);
  });

  it('rings for the others where one takes back its neighbour', async () => {
    const { clock } = handClock();
    const shared = new TurnTimers(clock);
    const rung: number[] = [];
    shared.after(100, () => second());
    const second = shared.after(100, () => rung.push(2));
    shared.after(100, () => rung.push(3));
    await clock.pass(100);
    expect(rung).toEqual([3]);
  });
});
