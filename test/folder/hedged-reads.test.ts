import { describe, expect, it } from 'vitest';
import { hedgedReads } from '../../src/folder/hedged-reads.ts';
import type { StoredObject } from '../../src/ports.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestClock } from '../support/test-clock.ts';

/** A store that answers a read when it is told to. */
class LateStore extends MemoryStore {
  readonly asked: Array<PromiseWithResolvers<StoredObject | undefined>> = [];

  override get(): Promise<StoredObject | undefined> {
    const request = Promise.withResolvers<StoredObject | undefined>();
    this.asked.push(request);
    return request.promise;
  }

  override list(): Promise<readonly string[]> {
    return this.get().then(() => []);
  }
}

const world = () => {
  const clock = new TestClock();
  const late = new LateStore(clock);
  return { clock, late, store: hedgedReads(late, clock) };
};

describe('reads that are late', () => {
  it('are asked for once more, and no more often, and the first answer counts', async () => {
    const { clock, late, store } = world();
    const read = store.get('a.json');
    await clock.advance(300);
    expect(late.asked).toHaveLength(1);
    await clock.advance(60_000);
    expect(late.asked).toHaveLength(2);
    late.asked[1]?.resolve(undefined);
    expect(await read).toBeUndefined();
  });

  it('fail with what the first request failed with', async () => {
    const { clock, late, store } = world();
    const read = store.get('a.json');
    await clock.advance(1_000);
    late.asked[1]?.reject(new Error('second'));
    late.asked[0]?.reject(new Error('first'));
    await expect(read).rejects.toThrow('first');
  });

  it('are asked for once where they are LISTs or rows', async () => {
    const { clock, late, store } = world();
    void store.list('jobs/');
    void store.get('a.ndjson');
    await clock.advance(60_000);
    expect(late.asked).toHaveLength(2);
  });

  it('add little where all reads are late', async () => {
    const { clock, late, store } = world();
    for (let n = 0; n < 400; n++) void store.get('a.json');
    await clock.advance(60_000);
    expect(late.asked.length).toBeLessThanOrEqual(420);
    const before = late.asked.length;
    for (let n = 0; n < 400; n++) {
      void store.get('a.json');
      await clock.advance(500);
    }
    expect(late.asked.length - before).toBeLessThanOrEqual(400 + 21);
  });
});
