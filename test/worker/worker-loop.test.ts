import { describe, expect, it } from 'vitest';
import { readDigest } from '../../src/folder/read-digest.ts';
import { encodeMessage, type WorkMessage } from '../../src/format/message.ts';
import type { Row } from '../../src/format/outcome.ts';
import { controlKey, resultKey, segmentInPart, segmentsPrefix } from '../../src/format/paths.ts';
import { limits } from '../../src/limits.ts';
import { TaskError } from '../../src/task/errors.ts';
import { toHeldMessage } from '../../src/worker/held-message.ts';
import { runWorker } from '../../src/worker/worker-loop.ts';
import { slowTask } from '../job/world.ts';
import { addJob, begin, place, queued, repeat, rowsOf, work, worldWith } from './worker-world.ts';

describe('a worker', () => {
  it('stores one row an item with its digest, and deletes the message', async () => {
    const { world } = worldWith((item) => {
      if (item['n'] === 2) throw new TaskError('gone', { code: 'Gone', status: 410 });
      return { n: item['n'] };
    });
    await addJob(world, { items: repeat(4) });
    const acknowledged = await work(world);
    expect(acknowledged.size).toBe(1);
    expect(world.workQueue.messages).toEqual([]);
    const rows = await rowsOf(world);
    expect(rows).toHaveLength(4);
    expect(rows[1]).toEqual({ index: 1, status: 'succeeded', value: { n: 1 }, attempts: 1, durationMs: 100, at: 0 });
    expect(rows[2]).toMatchObject({ status: 'failed', error: { code: 'Gone', status: 410 }, attempts: 1 });
    expect(await readDigest(world.store, 'j', place)).toMatchObject({
      succeeded: 3,
      failed: 1,
      codes: { Gone: 1 },
      callMs: 400,
      invocations: 1,
    });
  });

  it('opens its slots over a second and never runs more than the job’s concurrency', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(600, { ms: 5_000 }), options: { concurrency: 100 } });
    const { acknowledged } = await begin(world);
    const seen: number[] = [];
    for (let step = 0; step < 5; step++) {
      await world.clock.advance(step === 0 ? 0 : 250);
      seen.push(calls.running);
    }
    expect(seen).toEqual([10, 25, 50, 75, 100]);
    await world.clock.run(acknowledged);
    expect(calls.most).toBe(100);
    expect(await rowsOf(world)).toHaveLength(600);
  });

  it('has the slots of as many workers as it does the work of, and from then on of those that it keeps', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(900, { ms: 1_000 }), options: { concurrency: 100 } });
    const places = { held: 3, keep: () => {} };
    const { acknowledged } = await begin(world, world.invoke(), { places });
    await world.clock.advance(2_500);
    expect(calls.running).toBe(300);
    places.held = 1;
    await world.clock.advance(1_000);
    expect(calls.running).toBe(100);
    await world.clock.run(acknowledged);
    expect(calls.most).toBe(300);
    expect(await rowsOf(world)).toHaveLength(900);
  });

  it('leaves to others what its own 500 calls at once have no room for', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(900, { ms: 1_000 }), options: { concurrency: 200 } });
    const kept: number[] = [];
    const places = { held: 5, keep: (count: number) => kept.push(count) };
    const { acknowledged } = await begin(world, world.invoke(), { places });
    await world.clock.run(acknowledged);
    expect(kept).toEqual([2]);
    expect(calls.most).toBe(500);
  });

  it('never runs more than 500 at once, whatever its jobs ask for', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { jobId: 'j', items: repeat(500, { ms: 4_000 }), options: { concurrency: 500 } });
    await addJob(world, { jobId: 'k', items: repeat(500, { ms: 4_000 }), options: { concurrency: 500 } });
    const messages = await world.workQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 });
    const { deps } = world.invoke();
    await world.clock.run(
      runWorker(
        messages.map((one) => toHeldMessage(one, world.log)).filter((one) => one !== undefined),
        deps,
      ),
    );
    expect(calls.most).toBe(500);
    expect(await rowsOf(world, place, 'k')).toHaveLength(500);
  });

  it('gives the slot of an item that waits for its next attempt to another', async () => {
    const { world, calls } = worldWith((item, attempt) => {
      if (item['n'] === 0 && attempt === 1) {
        throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: 20_000 });
      }
      return attempt;
    });
    await addJob(world, { items: repeat(5), options: { concurrency: 1 } });
    await work(world);
    expect(calls.most).toBe(1);
    expect(calls.started.map(({ key }) => key)).toEqual(['j/0', 'j/1', 'j/2', 'j/3', 'j/4', 'j/0']);
    const [first, , , , , again] = calls.started;
    expect((again?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(20_000);
    expect(await rowsOf(world)).toHaveLength(5);
  });

  it('tries as often as the job allows, and then records the last failure', async () => {
    const { world } = worldWith(() => {
      throw new TaskError('busy', { code: 'Busy', retryable: true });
    });
    await addJob(world, { items: repeat(1), options: { attempts: 5 } });
    await work(world);
    expect(await rowsOf(world)).toMatchObject([{ status: 'failed', error: { code: 'Busy' }, attempts: 5 }]);
  });

  it('hands a wait over as long as it was decided, however the clock was set back since', async () => {
    const { world } = worldWith(async (item, attempt) => {
      if (item['n'] === 1 && attempt === 1)
        throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: 60_000 });
      await world.clock.sleep(5_000);
      return attempt;
    });
    await addJob(world, { items: repeat(3) });
    let skew = 0;
    world.clock.after(2_000, () => {
      skew = -3_600_000;
    });
    const clock = { now: () => world.clock.now() + skew, after: world.clock.after.bind(world.clock) };
    const life = world.invoke();
    await world.clock.run((await begin(world, { ...life, deps: { ...life.deps, clock } })).acknowledged);
    expect(queued(world)).toMatchObject([{ gen: 1, only: [[1, 1]] }]);
    // Some seconds of chance come on top of it.
    expect(world.workQueue.sent.at(-1)?.delaySeconds).toBeLessThan(90);
    const [key = ''] = await world.store.list(segmentsPrefix('j', place));
    expect(segmentInPart(key).waitMs).toBeGreaterThanOrEqual(60_000);
    expect(segmentInPart(key).waitMs).toBeLessThan(90_000);
  });

  it('hands an item over whose downstream asks for a long wait, and nobody calls it before', async () => {
    const { world, calls } = worldWith((item, attempt) => {
      if (item['n'] === 1 && attempt === 1) {
        throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: 600_000 });
      }
      return attempt;
    });
    await addJob(world, { items: repeat(3) });
    const before = world.clock.now();
    expect((await work(world)).size).toBe(1);
    const [message] = queued(world);
    expect(message).toMatchObject({ gen: 1, only: [[1, 1]], segments: [expect.any(String)] });
    expect(message?.notBefore).toBeGreaterThanOrEqual(before + 600_000);
    expect(world.workQueue.sent.at(-1)?.delaySeconds).toBeGreaterThanOrEqual(600);
    await world.clock.advance(900_000);
    await work(world);
    expect((calls.started.at(-1)?.at ?? 0) - before).toBeGreaterThanOrEqual(600_000);
    expect(await rowsOf(world)).toMatchObject([{ attempts: 1 }, { attempts: 2, value: 2 }, { attempts: 1 }]);
    expect(await readDigest(world.store, 'j', place)).toMatchObject({
      succeeded: 3,
      attempts: 4,
      callMs: 400,
      handOvers: 1,
    });
  });

  it('keeps each item’s own wait when items with different waits are handed over together', async () => {
    const waits = [40_000, 100_000, 300_000];
    const { world, calls } = worldWith((item, attempt) => {
      if (attempt > 1) return 'late';
      throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: waits[Number(item['n'])] ?? 0 });
    });
    await addJob(world, { items: repeat(3), options: { attempts: 2 } });
    const before = world.clock.now();
    for (let round = 0; round < 20 && !world.store.objects.has(resultKey('j', place)); round++) {
      if (world.workQueue.messages.some(({ visibleAt }) => visibleAt <= world.clock.now())) await work(world);
      else await world.clock.advance(20_000);
    }
    expect(await rowsOf(world)).toMatchObject(waits.map(() => ({ status: 'succeeded', attempts: 2 })));
    for (const { at, key, attempt } of calls.started) {
      if (attempt === 2) expect(at - before).toBeGreaterThanOrEqual(waits[Number(key.slice(2))] ?? 0);
    }
  });

  it('starts no item that could not end before the deadline, and another invocation completes the chunk', async () => {
    const { world, calls } = worldWith(() => 'v', { timeoutMs: 10_000 });
    await addJob(world, { items: repeat(200, { ms: 9_000 }), options: { concurrency: 10 } });
    const started = world.clock.now();
    expect((await work(world, 30)).size).toBe(1);
    const latest = Math.max(...calls.started.map(({ at }) => at));
    expect(latest + 10_000 + limits.deadlineMarginMs).toBeLessThanOrEqual(started + 30_000);
    expect(world.clock.now()).toBeLessThan(started + 30_000);
    const [message] = queued(world);
    expect(message).toMatchObject({ gen: 1, segments: [expect.stringMatching(/^0000001-/)] });
    expect(message?.only).toHaveLength(180);
    for (let round = 0; round < 20 && world.workQueue.messages.length > 0; round++) await work(world, 60);
    const rows = await rowsOf(world);
    expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(calls.started).toHaveLength(200);
    expect(await readDigest(world.store, 'j', place)).toMatchObject({
      succeeded: 200,
      attempts: 200,
      callMs: 1_800_000,
    });
  });

  it('keeps an item’s wish for a later attempt when the deadline hands it over', async () => {
    const { world, calls } = worldWith((item, attempt) => {
      if (item['n'] === 0 && attempt === 1) {
        throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: 16_000 });
      }
      return attempt;
    });
    await addJob(world, { items: [{ n: 0, ms: 10 }, ...repeat(30, { ms: 6_000 })], options: { concurrency: 1 } });
    const before = world.clock.now();
    await work(world, 31);
    while (world.workQueue.messages.length > 0) await work(world, 31);
    const second = calls.started.find(({ key, attempt }) => key === 'j/0' && attempt === 2);
    expect((second?.at ?? 0) - before).toBeGreaterThanOrEqual(16_000);
    expect(await rowsOf(world)).toHaveLength(31);
  });

  it('loses no row when the same worker meets the rest of a chunk that it handed over', async () => {
    const { world } = worldWith((item, attempt) => {
      if (item['again'] === true && attempt === 1) {
        throw new TaskError('busy', { code: 'Busy', retryable: true, retryAfterMs: 35_000 });
      }
      return attempt;
    });
    // Another job keeps the worker alive until it receives what it handed over; rows of that are then stored early.
    const slow = { timeoutMs: 200_000 };
    await addJob(world, { jobId: 'k', items: repeat(1, { ms: 150_000 }), options: slow });
    const late = [0, 15_000, 18_000].map((ms) => ({ ms, again: true }));
    await addJob(world, { items: [...late, {}, {}], options: { timeoutMs: 40_000 } });
    await work(world, 300);
    expect(world.store.keys(segmentsPrefix('j', place))).toHaveLength(2);
    expect((await rowsOf(world)).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(await readDigest(world.store, 'j', place)).toMatchObject({ succeeded: 5, attempts: 8, handOvers: 1 });
  });

  it('receives further messages until the queue is empty', async () => {
    const { world } = worldWith(() => 1);
    const messages = await addJob(world, { items: repeat(90), inline: false, workers: 15 });
    expect(messages.length).toBeGreaterThan(20);
    const acknowledged = await work(world);
    expect(acknowledged.size).toBe(messages.length);
    expect(world.workQueue.messages).toEqual([]);
    for (const chunk of messages.keys()) expect(await rowsOf(world, { part: 0, chunk })).not.toEqual([]);
  });

  it('goes on receiving although the queue was empty while its first chunk was being read', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(2, { ms: 3_000 }) });
    const life = world.invoke();
    const { acknowledged } = await begin(world, life);
    world.clock.after(1_500, () => void addJob(world, { jobId: 'k', items: repeat(2) }));
    await world.clock.run(acknowledged);
    expect(await rowsOf(world, place, 'k')).toHaveLength(2);
  });

  it('receives no more than 64 MiB of input', async () => {
    const { world } = worldWith(() => 1);
    const names = Array.from({ length: 20 }, (_, n) => `j${n}`);
    for (const jobId of names) await addJob(world, { jobId, items: repeat(1, { ms: 5_000 }) });
    // Each message says that its one item stands for a whole chunk's bytes.
    world.workQueue.messages = world.workQueue.messages.map((message) => {
      const work = JSON.parse(message.body) as WorkMessage;
      return { ...message, body: encodeMessage({ ...work, range: [0, limits.chunkBytes - 1] }) };
    });
    const { acknowledged } = await begin(world);
    await world.clock.advance(4_000);
    const held = world.workQueue.messages.filter(({ receiveCount }) => receiveCount > 0);
    expect(held).toHaveLength(limits.heldBytes / limits.chunkBytes);
    await world.clock.run(acknowledged);
    expect(world.workQueue.messages).toEqual([]);
  });

  it('puts a received message back as a new one when its items could not end in time, and receives no more', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { jobId: 'k', items: repeat(1, { ms: 9_000 }) });
    const { acknowledged } = await begin(world, world.invoke(100));
    await addJob(world, { items: repeat(3), options: { timeoutMs: 240_000 } });
    await world.clock.run(acknowledged);
    expect(calls.started).toHaveLength(1);
    expect(world.workQueue.messages).toMatchObject([{ receiveCount: 0, body: expect.stringContaining('"job":"j"') }]);
    expect(world.workQueue.receives).toHaveLength(2);
    await work(world, 300);
    expect(await rowsOf(world)).toHaveLength(3);
  });

  it('receives nothing that would not have the time of the items in hand', async () => {
    const { world } = worldWith(() => 1);
    const options = { timeoutMs: 60_000 };
    await addJob(world, { jobId: 'k', items: repeat(1, { ms: 50_000 }), options });
    const { acknowledged } = await begin(world, world.invoke(80));
    await world.clock.advance(20_000);
    await addJob(world, { items: repeat(3), options });
    await world.clock.run(acknowledged);
    expect(world.workQueue.messages).toMatchObject([{ receiveCount: 0 }]);
    expect(world.workQueue.sent).toHaveLength(2);
  });

  it('drops a message whose chunk has a result', async () => {
    const { world, calls } = worldWith(() => 1);
    const messages = await addJob(world, { items: repeat(3) });
    await world.workQueue.send(messages.map(encodeMessage), { group: 'twin' });
    await work(world);
    await work(world);
    expect(calls.started).toHaveLength(3);
    expect(world.workQueue.messages).toEqual([]);
  });

  it('runs a chunk once when two messages of it are in one worker', async () => {
    const { world, calls } = worldWith(() => 1);
    const messages = await addJob(world, { items: repeat(3, { ms: 5_000 }) });
    await world.workQueue.send(messages.map(encodeMessage), { group: 'twin' });
    await work(world);
    expect(calls.started).toHaveLength(3);
    expect(world.workQueue.messages).toEqual([]);
  });

  it('keeps the only message of a chunk in hand when that very message comes again', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(2, { ms: 9_000 }) });
    const life = world.invoke();
    const { acknowledged } = await begin(world, life);
    await world.clock.advance(1_000);
    const [message] = world.workQueue.messages;
    // SQS gives it once more although its receiver lives.
    world.workQueue.model.changeVisibility(message?.receiptHandle ?? '', 0);
    await world.clock.advance(4_000);
    expect(world.workQueue.messages).toMatchObject([{ messageId: message?.messageId, receiveCount: 2 }]);
    await world.clock.run(acknowledged);
    expect(world.workQueue.messages).toHaveLength(0);
    expect(calls.started).toHaveLength(2);
  });

  it('holds a chunk by the message that came last: the one before may be gone from the queue', async () => {
    const { world, calls } = worldWith(() => 1);
    const sent = await addJob(world, { items: repeat(2, { ms: 9_000 }) });
    const { acknowledged } = await begin(world);
    await world.clock.advance(1_000);
    const [first] = world.workQueue.messages;
    // It became a dead letter while its worker had it, and was sent again.
    world.workQueue.model.delete(first?.receiptHandle ?? '');
    await world.workQueue.send(
      sent.map((message) => encodeMessage({ ...message, deaths: 1 })),
      { group: 'again' },
    );
    await world.clock.advance(4_000);
    expect(world.workQueue.messages).toMatchObject([{ receiveCount: 1 }]);
    expect(world.workQueue.messages[0]?.messageId).not.toBe(first?.messageId);
    await world.clock.run(acknowledged);
    expect(world.workQueue.messages).toEqual([]);
    expect(calls.started).toHaveLength(2);
  });

  it('drops its rows when another worker has stored the chunk', async () => {
    const { world } = worldWith(() => 'mine');
    await addJob(world, { items: repeat(2) });
    const { acknowledged } = await begin(world);
    await world.clock.settle();
    const theirs: Row[] = [0, 1].map((index) => ({
      index,
      status: 'succeeded',
      value: 'theirs',
      attempts: 1,
      durationMs: 1,
    }));
    await world.store.put(resultKey('j', place), theirs.map((row) => JSON.stringify(row)).join('\n'), {
      metadata: { writer: 'other', digest: '' },
    });
    expect((await world.clock.run(acknowledged)).size).toBe(1);
    expect(await rowsOf(world)).toEqual(theirs);
    expect(world.workQueue.messages).toEqual([]);
  });

  it('knows its own result when the answer to its write was lost', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(2) });
    const put = world.store.put.bind(world.store);
    // As the SDK does it: the first answer is lost, and the repeated write finds the object.
    world.store.put = async (key, body, options) => {
      if (key === resultKey('j', place)) await put(key, body, options);
      return put(key, body, options);
    };
    await work(world);
    expect(world.lines.some(({ message }) => message === 'a chunk was stored')).toBe(true);
    expect(world.workQueue.messages).toEqual([]);
  });

  it('leaves the message in the queue when S3 fails, and the next worker completes the chunk', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(2) });
    world.store.before = ({ operation, key }) => {
      if (operation === 'put' && key.startsWith('jobs/j/results/')) throw new Error('no route to S3');
    };
    expect((await work(world)).size).toBe(0);
    expect(world.workQueue.messages).toHaveLength(1);
    world.store.before = undefined;
    await world.clock.advance(limits.leaseSeconds * 1_000);
    await work(world);
    expect(await rowsOf(world)).toHaveLength(2);
  });

  it('leaves the message in the queue when the hand-over cannot be sent', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(100, { ms: 9_000 }), options: { concurrency: 10 } });
    world.workQueue.before = (operation) => {
      if (operation === 'send') throw new Error('no route to SQS');
    };
    expect((await work(world, 30)).size).toBe(0);
    expect(world.workQueue.messages).toHaveLength(1);
  });

  it('does not ask a queue again that refuses to be received from', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(3, { ms: 5_000 }) });
    const { acknowledged } = await begin(world);
    let receives = 0;
    world.workQueue.before = (operation) => {
      if (operation !== 'receive') return;
      receives++;
      throw new Error('AccessDenied');
    };
    expect((await world.clock.run(acknowledged)).size).toBe(1);
    expect(receives).toBe(1);
    expect(await rowsOf(world)).toHaveLength(3);
  });

  it('aborts its calls within two seconds when the job is cancelled, and stores a row for each item', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: [{ n: 0 }, ...repeat(50, { ms: 9_000 })], options: { concurrency: 20 } });
    const { acknowledged } = await begin(world);
    await world.clock.advance(1_000);
    await world.store.put(controlKey('j'), JSON.stringify({ state: 'cancelled', revision: 1, at: '', by: '' }));
    await world.clock.advance(2_000);
    expect(calls.running).toBe(0);
    await world.clock.run(acknowledged);
    const rows = await rowsOf(world);
    expect(rows).toHaveLength(51);
    expect(rows[0]?.status).toBe('succeeded');
    expect(rows.filter(({ status }) => status === 'cancelled')).toHaveLength(50);
  });

  it('drops messages of a job that is cancelled before they come', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(2) });
    await world.store.put(controlKey('j'), JSON.stringify({ state: 'cancelled', revision: 1, at: '', by: '' }));
    expect((await work(world)).size).toBe(1);
    expect(calls.started).toEqual([]);
  });

  it('renews its hold on each message while it works, and lets it go when it has ended', async () => {
    const { world } = worldWith(() => 1, { timeoutMs: 200_000 });
    await addJob(world, { items: repeat(2, { ms: 150_000 }), options: { timeoutMs: 200_000 } });
    const { acknowledged } = await begin(world);
    await world.clock.settle();
    expect(world.workQueue.messages[0]?.visibleAt).toBe(world.clock.now() + limits.leaseSeconds * 1_000);
    await world.clock.advance(140_000);
    expect(world.workQueue.messages[0]?.receiveCount).toBe(1);
    expect(world.workQueue.changes.filter(({ seconds }) => seconds === limits.leaseSeconds)).toHaveLength(15);
    await world.clock.run(acknowledged);
    await world.clock.advance(100);
    // The queue keeps a timer for the hold that it gave; that one is not the worker's.
    world.workQueue.model.close();
    expect(world.clock.pending).toBe(0);
  });

  it('works on when a renewal fails', async () => {
    const { world } = worldWith(() => 1, { timeoutMs: 100_000 });
    await addJob(world, { items: repeat(2, { ms: 50_000 }), options: { timeoutMs: 100_000 } });
    const { acknowledged } = await begin(world);
    await world.clock.settle();
    world.workQueue.before = (operation) => {
      if (operation === 'changeVisibility') throw new Error('no route to SQS');
    };
    expect((await world.clock.run(acknowledged)).size).toBe(1);
  });

  it('stores rows early in a long chunk, each row once', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(60, { ms: 8_000 }), options: { concurrency: 10 } });
    await work(world);
    expect(world.store.keys(segmentsPrefix('j', place)).length).toBeGreaterThan(0);
    expect(await rowsOf(world)).toHaveLength(60);
    expect(await readDigest(world.store, 'j', place)).toMatchObject({ succeeded: 60 });
  });

  it('stores rows once when S3 is slow and rows are many', async () => {
    const { world } = worldWith(() => 'v'.repeat(400_000));
    const task = slowTask(world.clock, () => 'v'.repeat(900_000)).task;
    world.tasks = { t: { ...task, maxValueBytes: limits.maxValueBytes } };
    await addJob(world, { items: repeat(40), options: { concurrency: 10 } });
    world.store.before = ({ operation, key }) =>
      operation === 'put' && key.includes('/segments/') ? world.clock.sleep(1_000) : undefined;
    await work(world);
    const segments = world.store.keys(segmentsPrefix('j', place));
    expect(segments.length).toBeGreaterThan(0);
    for (const key of segments) expect(world.store.text(key)).not.toBe('');
    expect(await rowsOf(world)).toHaveLength(40);
  });

  it('keeps rows of which S3 refused the segment, and calls none of their items again', async () => {
    const { world, calls } = worldWith(() => 1);
    await addJob(world, { items: repeat(60, { ms: 8_000 }), options: { concurrency: 10 } });
    let refusals = 0;
    world.store.before = ({ operation, key }) => {
      if (operation === 'put' && key.includes('/segments/') && refusals++ === 0) throw new Error('no route to S3');
    };
    await work(world);
    expect(refusals).toBeGreaterThan(1);
    expect(calls.started).toHaveLength(60);
    expect(await rowsOf(world)).toHaveLength(60);
  });

  it('starts no item while S3 takes no rows and 64 MiB of them are in hand', async () => {
    const { world } = worldWith(() => 1);
    const { task, calls } = slowTask(world.clock, () => 'v'.repeat(1_000_000));
    world.tasks = { t: { ...task, maxValueBytes: limits.maxValueBytes } };
    await addJob(world, { items: repeat(100), options: { concurrency: 10 } });
    const stored = Promise.withResolvers<void>();
    world.store.before = ({ operation, key }) =>
      operation === 'put' && key.includes('/segments/') ? stored.promise : undefined;
    const { acknowledged } = await begin(world);
    await world.clock.advance(60_000);
    expect(calls.running).toBe(0);
    expect(calls.started.length).toBeGreaterThanOrEqual(67);
    expect(calls.started.length).toBeLessThan(80);
    stored.resolve();
    await world.clock.run(acknowledged);
    expect(await rowsOf(world)).toHaveLength(100);
  });

  it('names as many segments as it took, and reads none of them again', async () => {
    const { world } = worldWith(() => 1, { timeoutMs: 12_000 });
    await addJob(world, { items: repeat(60, { ms: 11_000 }), options: { concurrency: 1, timeoutMs: 12_000 } });
    for (let round = 0; round < 80 && world.workQueue.messages.length > 0; round++) await work(world, 30);
    expect(world.store.keys(segmentsPrefix('j', place)).length).toBeGreaterThan(20);
    expect(world.store.calls.filter(({ operation, key }) => operation === 'get' && key.includes('/segments/'))).toEqual(
      [],
    );
    expect(await rowsOf(world)).toHaveLength(60);
  });

  it('fails each item of a task that the deployed stack has not', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(2) });
    world.tasks = {};
    await work(world);
    expect(await rowsOf(world)).toMatchObject([{ status: 'failed', error: { code: 'UnknownTask' } }, { attempts: 0 }]);
  });

  it('fails each item when the input is another than the job began with', async () => {
    const { world } = worldWith(() => 1);
    await addJob(world, { items: repeat(2) });
    await world.store.put('j.in', 'other');
    await work(world);
    expect(await rowsOf(world)).toMatchObject([
      { error: { code: 'InvalidInput' } },
      { error: { code: 'InvalidInput' } },
    ]);
  });

  it('leaves messages that it cannot read in the queue', async () => {
    const { world } = worldWith(() => 1);
    await world.workQueue.send(['{"v":2}', 'no JSON'], { group: 'g' });
    expect((await work(world)).size).toBe(0);
    expect(world.workQueue.messages).toHaveLength(2);
    expect(world.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
  });

  it('charges its whole time to its chunks, and itself once', async () => {
    const { world } = worldWith(() => 1);
    const messages = await addJob(world, { items: repeat(30, { ms: 700 }), inline: false, workers: 4 });
    await work(world);
    const digests = await Promise.all(messages.map((_, chunk) => readDigest(world.store, 'j', { part: 0, chunk })));
    expect(digests.reduce((sum, { invocations }) => sum + invocations, 0)).toBe(1);
    expect(digests.reduce((sum, { billedMs }) => sum + billedMs, 0)).toBeGreaterThanOrEqual(700);
  });
});
