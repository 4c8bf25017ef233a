import { describe, expect, it } from 'vitest';
import { KnownFolder } from '../../src/client/known-folder.ts';
import { resultKey, resultsPrefix, seatKey, summaryKey } from '../../src/format/paths.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestClock } from '../support/test-clock.ts';

const folder = { id: 'j', pass: 0 };

function world({ isTold = true } = {}) {
  const clock = new TestClock();
  const store = new MemoryStore();
  const listeners = new Set<(key: string) => void>();
  const tellStored = (listener: (key: string) => void) => {
    if (!isTold) return undefined;
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const put = async (key: string): Promise<void> => {
    await store.put(key, key);
    for (const listener of listeners) listener(key);
  };
  return { clock, store, listeners, put, known: new KnownFolder({ store, clock, tellStored }, folder) };
}

const result = (chunk: number): string => resultKey(folder, { part: 0, chunk });

describe('a folder of which every write is told', () => {
  it('is asked once for what is not written meanwhile, also for what is not there', async () => {
    const { store, known, put } = world();
    await put(result(0));
    const before = store.calls.length;
    for (let look = 0; look < 5; look++) {
      expect(await known.list(resultsPrefix(folder, 0))).toEqual([result(0)]);
      expect(await known.list(resultsPrefix(folder, 0), { startAfter: result(0) })).toEqual([]);
      expect(await known.get(summaryKey(folder))).toBeUndefined();
    }
    expect(store.calls.length - before).toBe(3);
  });

  it('is asked again for what was written, and for that alone', async () => {
    const { store, known, put } = world();
    const look = () => Promise.all([known.list(resultsPrefix(folder, 0)), known.get(summaryKey(folder))]);
    await look();
    await put(result(3));
    const before = store.calls.length;
    expect(await look()).toEqual([[result(3)], undefined]);
    expect(store.calls.length - before).toBe(1);
    await put(summaryKey(folder));
    expect((await look())[1]).toBeDefined();
    expect(store.calls.length - before).toBe(3);
  });

  it('does not know an answer during which something was written', async () => {
    const { known, put } = world();
    const asked = known.get(summaryKey(folder));
    await put(summaryKey(folder));
    await asked;
    expect(await known.get(summaryKey(folder))).toBeDefined();
  });

  it('is asked again after ten seconds, and for its seats each time', async () => {
    const { store, clock, known } = world();
    const look = () => Promise.all([known.get(summaryKey(folder)), known.get(seatKey(folder, 0))]);
    for (let n = 0; n < 3; n++) await look();
    expect(store.calls.length).toBe(4);
    await store.put(summaryKey(folder), '{}');
    await clock.advance(10_000);
    expect((await look())[0]).toBeDefined();
  });

  it('is asked each time where nobody tells, and listens no more at its end', async () => {
    const alone = world({ isTold: false });
    for (let n = 0; n < 3; n++) await alone.known.get(summaryKey(folder));
    expect(alone.store.calls.length).toBe(3);
    const { known, listeners } = world();
    expect(listeners.size).toBe(1);
    known[Symbol.dispose]();
    expect(listeners.size).toBe(0);
  });
});
