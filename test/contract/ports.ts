import { describe, expect, it } from 'vitest';
import type { ObjectStore, Queue, ReceivedMessage } from '../../src/ports.ts';

/** The ports on one target, and what a test needs beside them. */
export interface PortsUnderTest {
  /** A store over an empty prefix: keys are told apart by `key`. */
  readonly store: ObjectStore;
  /** A queue of its own, without messages. */
  queue(options?: {
    readonly maxReceiveCount?: number;
  }): Promise<{ readonly queue: Queue; readonly deadLetters: Queue }>;
  /** Lets this much of the target's time pass. */
  pass(ms: number): Promise<void>;
  /** A store whose next write happens, and whose answer is lost on the way to the client, which asks again. @default the target cannot */
  readonly losesAnswer?: ObjectStore;
  /** Whether the target shares a queue fairly among groups, as AWS does. */
  readonly isFair: boolean;
}

/** What the code relies on of store and queue, held against one target. */
export function describePorts(target: string, open: () => PortsUnderTest): void {
  describeStore(target, open);
  describeQueue(target, open);
}

/** What the code relies on of a store. */
export function describeStore(target: string, open: () => Pick<PortsUnderTest, 'store' | 'losesAnswer'>): void {
  const prefix = `contract/${Date.now()}-${Math.random().toString(36).slice(2)}/`;
  let made = 0;
  const newKey = (): string => `${prefix}${String(++made).padStart(4, '0')}`;
  const text = async (store: ObjectStore, key: string): Promise<string | undefined> => {
    const found = await store.get(key);
    return found && new TextDecoder().decode(found.body);
  };

  describe(`the store on ${target}`, () => {
    it('reads what was written at once, with its metadata, and nothing where nothing is', async () => {
      const { store } = open();
      const key = newKey();
      expect(await store.get(key)).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
      const etag = await store.put(key, 'één', { metadata: { digest: '1,2;3' } });
      expect(await store.get(key)).toMatchObject({ etag, metadata: { digest: '1,2;3' } });
      expect(await text(store, key)).toBe('één');
      expect(await store.head(key)).toMatchObject({ bytes: 5, etag, metadata: { digest: '1,2;3' } });
    });

    it('holds an empty object, and bytes that are no text', async () => {
      const { store } = open();
      const [empty, bytes] = [newKey(), newKey()];
      await store.put(empty, '');
      await store.put(bytes, Uint8Array.of(0, 255, 128, 10));
      expect((await store.get(empty))?.body).toHaveLength(0);
      expect([...((await store.get(bytes))?.body ?? [])]).toEqual([0, 255, 128, 10]);
    });

    it('writes where nothing is once, whoever asks at the same time', async () => {
      const { store } = open();
      const key = newKey();
      const writers = Array.from({ length: 8 }, (_, n) => `writer ${n}`);
      const etags = await Promise.all(writers.map((body) => store.put(key, body, { condition: { ifAbsent: true } })));
      const winners = writers.filter((_, n) => etags[n] !== undefined);
      expect(winners).toHaveLength(1);
      expect(await text(store, key)).toBe(winners[0]);
      expect(await store.put(key, 'late', { condition: { ifAbsent: true } })).toBeUndefined();
    });

    it('replaces the version that the writer saw, and no other', async () => {
      const { store } = open();
      const key = newKey();
      const first = (await store.put(key, 'one')) ?? '';
      const second = (await store.put(key, 'two', { condition: { ifMatch: first } })) ?? '';
      expect(second).not.toBe(first);
      expect(await store.put(key, 'three', { condition: { ifMatch: first } })).toBeUndefined();
      expect(await text(store, key)).toBe('two');
      expect(await store.put(newKey(), 'x', { condition: { ifMatch: second } })).toBeUndefined();
    });

    it('gives one of many who replace the same version the right to it', async () => {
      const { store } = open();
      const key = newKey();
      const etag = (await store.put(key, 'start')) ?? '';
      const bodies = Array.from({ length: 6 }, (_, n) => `from ${n}`);
      const etags = await Promise.all(bodies.map((body) => store.put(key, body, { condition: { ifMatch: etag } })));
      expect(etags.filter((one) => one !== undefined)).toHaveLength(1);
    });

    it('refuses a write whose first answer was lost, and shows who wrote', async ({ skip }) => {
      const { losesAnswer, store } = open();
      if (losesAnswer === undefined) return skip(`on ${target} no answer can be lost on purpose`);
      const key = newKey();
      expect(
        await losesAnswer.put(key, 'mine', { condition: { ifAbsent: true }, metadata: { writer: 'me' } }),
      ).toBeUndefined();
      expect((await store.head(key))?.metadata).toEqual({ writer: 'me' });
    });

    it('lists in the order of bytes, after a key, up to a limit, and over pages', async () => {
      const { store } = open();
      const folder = `${newKey()}/`;
      const names = ['0', '1', '10', '2', 'A', 'a', 'a/b', 'a0', 'z', '~', 'é', '\uffee', '\u{1f600}'];
      for (const name of [...names].reverse()) await store.put(folder + name, name);
      const keys = names.map((name) => folder + name);
      expect(await store.list(folder)).toEqual(keys);
      expect(await store.list(folder, { limit: 3 })).toEqual(keys.slice(0, 3));
      expect(await store.list(folder, { startAfter: `${folder}10` })).toEqual(keys.slice(3));
      expect(await store.list(folder, { startAfter: `${folder}11`, limit: 1 })).toEqual([`${folder}2`]);
      expect(await store.list(`${folder}a`)).toEqual([`${folder}a`, `${folder}a/b`, `${folder}a0`]);
      expect(await store.list(`${folder}none`)).toEqual([]);
    });

    it('lists more keys than fit in one answer', async () => {
      const { store } = open();
      const folder = `${newKey()}/`;
      const keys = Array.from({ length: 1_005 }, (_, n) => folder + String(n).padStart(5, '0'));
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, '')));
      expect(await store.list(folder)).toEqual(keys);
    });

    it('forgets what was deleted, and does not mind what was not there', async () => {
      const { store } = open();
      const key = newKey();
      await store.put(key, 'x');
      await store.delete(key);
      await store.delete(key);
      expect(await store.get(key)).toBeUndefined();
      expect(await store.list(key)).toEqual([]);
      expect(await store.put(key, 'y', { condition: { ifAbsent: true } })).toBeDefined();
    });
  });
}

/** What the code relies on of a queue. */
function describeQueue(target: string, open: () => Pick<PortsUnderTest, 'queue' | 'pass' | 'isFair'>): void {
  describe(`the queue on ${target}`, () => {
    const group = 'job';
    /** A busy target answers a request or two within this time. */
    const slowlySeconds = 10;
    const now = { max: 10, waitSeconds: 0, visibilitySeconds: 60 } as const;
    const bodies = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ body }) => body).sort();
    /** Receives until so many have come; a standard queue may give fewer at a time. */
    const receive = async (queue: Queue, count: number, visibilitySeconds = 60): Promise<ReceivedMessage[]> => {
      const got: ReceivedMessage[] = [];
      for (let asked = 0; asked < 20 && got.length < count; asked++)
        got.push(
          ...(await queue.receive({ max: Math.min(10, count - got.length), waitSeconds: 1, visibilitySeconds })),
        );
      return got;
    };

    it('gives each message, hides it while it is held, and forgets it when it is deleted', async () => {
      const { queue } = await open().queue();
      const sent = Array.from({ length: 23 }, (_, n) => `body ${n}`);
      await queue.send(sent, { group });
      const got = await receive(queue, 23);
      expect(bodies(got)).toEqual([...sent].sort());
      expect(new Set(got.map(({ receiveCount }) => receiveCount))).toEqual(new Set([1]));
      expect(await queue.receive(now)).toEqual([]);
      expect(await queue.depth()).toBe(23);
      await Promise.all(got.map(({ receiptHandle }) => queue.delete(receiptHandle)));
      expect(await queue.depth()).toBe(0);
    });

    it('gives a message again when its hold is over, and counts', async () => {
      const { pass, queue: make } = open();
      const { queue } = await make();
      await queue.send(['x'], { group });
      const [first] = await receive(queue, 1, 2);
      await pass(2_100);
      const [second] = await receive(queue, 1);
      expect(second).toMatchObject({ messageId: first?.messageId, receiveCount: 2 });
    });

    it('keeps a hold that is renewed, and ends one that is set to zero', async () => {
      const { pass, queue: make } = open();
      const { queue } = await make();
      await queue.send(['x'], { group });
      const [held] = await receive(queue, 1, slowlySeconds);
      await queue.changeVisibility(held?.receiptHandle ?? '', 60);
      await pass(1_000 * slowlySeconds + 100);
      expect(await queue.receive(now)).toEqual([]);
      await queue.changeVisibility(held?.receiptHandle ?? '', 0);
      expect(bodies(await receive(queue, 1))).toEqual(['x']);
    });

    it('deletes by a handle whose hold is over, unless the message was given again', async () => {
      const { pass, queue: make } = open();
      const { queue } = await make();
      await queue.send(['x'], { group });
      const [held] = await receive(queue, 1, 1);
      await pass(1_100);
      await queue.delete(held?.receiptHandle ?? '');
      expect(await queue.depth()).toBe(0);
    });

    it('gives a delayed message when its delay is over', async () => {
      const { pass, queue: make } = open();
      const { queue } = await make();
      await queue.send(['later'], { group, delaySeconds: slowlySeconds });
      await queue.send(['now'], { group });
      expect(bodies(await receive(queue, 1))).toEqual(['now']);
      expect(await queue.receive(now)).toEqual([]);
      expect(await queue.depth()).toBe(2);
      await pass(1_000 * slowlySeconds + 100);
      expect(bodies(await receive(queue, 1))).toEqual(['later']);
    });

    it('ends a long poll with the first message', async () => {
      const { queue } = await open().queue();
      const waiting = queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 60 });
      await queue.send(['x'], { group });
      expect(bodies(await waiting)).toEqual(['x']);
    });

    it('moves a message to the dead letters after its last delivery', async () => {
      const { pass, queue: make } = open();
      const { queue, deadLetters } = await make({ maxReceiveCount: 2 });
      await queue.send(['poison'], { group });
      for (const count of [1, 2]) {
        const [given] = await receive(queue, 1, 1);
        expect(given?.receiveCount).toBe(count);
        await pass(1_100);
      }
      // It moves when somebody asks for it, as mappings do all the time.
      let dead: readonly ReceivedMessage[] = [];
      for (let asked = 0; asked < 10 && dead.length === 0; asked++) {
        expect(await queue.receive(now)).toEqual([]);
        dead = await deadLetters.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 60 });
      }
      expect(bodies(dead)).toEqual(['poison']);
      expect(await queue.depth()).toBe(0);
    });

    it('takes bodies of 200,000 bytes by as many calls as they need', async () => {
      const { queue } = await open().queue();
      const big = Array.from({ length: 7 }, (_, n) => String(n).repeat(200_000));
      await queue.send(big, { group });
      expect(bodies(await receive(queue, 7)).map((body) => body.length)).toEqual(big.map((body) => body.length));
    });

    it('rejects a send when SQS refuses one of the bodies, and keeps the others', async () => {
      const { queue } = await open().queue();
      await expect(queue.send(['good', '\ufffe'], { group })).rejects.toThrow();
      expect(bodies(await receive(queue, 1))).toEqual(['good']);
    });

    it('does not let the many messages of one group delay the few of another', async ({ skip }) => {
      const { isFair, queue: make } = open();
      if (!isFair) return skip(`${target} takes groups of standard queues and does not share among them`);
      const { queue } = await make();
      await queue.send(
        Array.from({ length: 40 }, (_, n) => `many ${n}`),
        { group: 'noisy' },
      );
      await receive(queue, 10);
      await queue.send(['few'], { group: 'quiet' });
      expect(bodies(await receive(queue, 2))).toContain('few');
    });
  });
}
