import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { orAborted, sleep } from '../src/waiting.ts';
import { manualClock } from './support/manual-clock.ts';

class Stopped extends Error {}

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('sleep', () => {
  it('ends when its time is over, and leaves nothing on the signal', async () => {
    const clock = manualClock();
    const { signal } = new AbortController();
    const asleep = sleep(clock, 100, signal);
    expect(listenersOf(signal)).toBe(1);
    await clock.fire(100);
    await asleep;
    expect(listenersOf(signal)).toBe(0);
  });

  it('rejects with the reason of the signal, before it began and while it waits', async () => {
    const controller = new AbortController();
    const asleep = sleep(manualClock(), 100, controller.signal);
    controller.abort(new Stopped());
    await expect(asleep).rejects.toBeInstanceOf(Stopped);
    await expect(sleep(manualClock(), 100, controller.signal)).rejects.toBeInstanceOf(Stopped);
  });
});

describe('orAborted', () => {
  it('settles as the work does, and leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(orAborted(Promise.reject(new RangeError()), signal)).rejects.toBeInstanceOf(RangeError);
    expect(listenersOf(signal)).toBe(0);
  });

  it('rejects with the reason of the signal, and heeds a later failure of the work no more', async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<void>();
    const waiting = orAborted(work.promise, controller.signal);
    controller.abort(new Stopped());
    await expect(waiting).rejects.toBeInstanceOf(Stopped);
    await expect(orAborted(work.promise, controller.signal)).rejects.toBeInstanceOf(Stopped);
    work.reject(new RangeError());
    await new Promise((resolve) => setImmediate(resolve));
  });
});
