import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Control, firstControl } from '../../src/format/control.ts';
import { countRow, type Digest, emptyDigest } from '../../src/format/digest.ts';
import type { SeatNote } from '../../src/format/seat.ts';
import type { CutProgress, TickRecord } from '../../src/format/tick.ts';
import { openParts } from '../../src/job/count-settled.ts';
import { type Observed, turn } from '../../src/job/turn.ts';
import { limits } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';

const leaseMs = 30_000;
const moment = { now: 1_000_000, writer: 'w', leaseMs };
const cancelled: Control = { ...firstControl({ limits: {}, seats: 1 }), state: 'cancelled', revision: 1 };

/** A digest of `items` rows that succeeded. */
function counted(items: number): Digest {
  let digest = emptyDigest;
  for (let index = 0; index < items; index++) {
    digest = countRow(digest, { index, status: 'succeeded', value: 1, attempts: 1, durationMs: 1 }, 1);
  }
  return digest;
}

/** An input that is cut into parts of so many chunks, each of two items. */
function cutOf(...chunks: readonly number[]): CutProgress {
  let first = 0;
  const parts = chunks.map((count) => {
    const part = { first, chunks: count };
    first += 2 * count;
    return part;
  });
  return { parts, offset: first, lines: first, items: first, chunks: first / 2, done: true };
}

const seen = (cut: CutProgress, more: Partial<Observed> = {}): Observed => ({
  cut,
  settled: [],
  segments: { count: 0, waitMs: 0 },
  queueDepth: 0,
  resendAsked: false,
  inline: false,
  limits: {},
  ...more,
});

const settledOf = (part: number, chunks: readonly number[]): Observed['settled'] =>
  chunks.map((chunk) => ({ part, chunk, digest: counted(2) }));

describe('turn', () => {
  const small = cutOf(3);
  const sent = turn(undefined, seen(small), undefined, moment);

  it('sends nothing while the input is being cut, and comes again at once', () => {
    const record = turn(undefined, seen({ ...small, done: false }), undefined, moment);
    expect(record).toMatchObject({ n: 0, send: [0, 0], nextAt: moment.now });
    expect(record.end).toBeUndefined();
  });

  it('sends a small job as a whole in its first turn', () => {
    expect(sent).toMatchObject({ n: 0, send: [0, 3], messages: 3, settledChunks: 0 });
  });

  it('counts each settled chunk once, also when it is seen twice', () => {
    const once = turn(sent, seen(small, { settled: settledOf(0, [1]) }), undefined, moment);
    const twice = turn(once, seen(small, { settled: settledOf(0, [1, 2]) }), undefined, moment);
    expect(twice).toMatchObject({ settledChunks: 2, totals: { succeeded: 4 }, send: [3, 3], settledParts: 0 });
    expect(twice.end).toBeUndefined();
  });

  it('ends the job when the last chunk is settled', () => {
    const record = turn(sent, seen(small, { settled: settledOf(0, [0, 1, 2]) }), undefined, moment);
    expect(record).toMatchObject({ end: 'done', settledParts: 1, counted: {}, totals: { succeeded: 6, cancelled: 0 } });
  });

  it('refuses the job when its input is refused', () => {
    const problem = { code: 'InvalidItem', message: 'line 1: no' };
    const record = turn(undefined, seen({ ...small, done: false }, { problem }), undefined, moment);
    expect(record).toMatchObject({ end: 'refused', problem, send: [0, 0] });
  });

  it('sends parts in order, the next one when less than one part is unsettled', () => {
    const large = cutOf(1_000, 1_000, 5);
    const first = turn(undefined, seen(large), undefined, moment);
    expect(first.send).toEqual([0, 1_000]);
    const waiting = turn(first, seen(large), undefined, moment);
    expect(waiting.send).toEqual([1_000, 1_000]);
    const second = turn(waiting, seen(large, { settled: settledOf(0, [7]) }), undefined, moment);
    expect(second.send).toEqual([1_000, 2_000]);
    expect(openParts(second)).toEqual([0, 1]);
  });

  it('leaves a part that is settled as a whole out of what it looks at', () => {
    const large = cutOf(2, 2);
    const first = turn(undefined, seen(large), undefined, moment);
    const second = turn(first, seen(large, { settled: settledOf(0, [0, 1]) }), undefined, moment);
    expect(second).toMatchObject({ settledParts: 1, counted: {} });
    expect(openParts(second)).toEqual([1]);
  });

  it('counts chunks of a later part while an earlier one has a straggler', () => {
    const large = cutOf(2, 2);
    const one = turn(undefined, seen(large), undefined, moment);
    const two = turn(one, seen(large), undefined, moment);
    const three = turn(
      two,
      seen(large, { settled: [...settledOf(0, [0]), ...settledOf(1, [0, 1])] }),
      undefined,
      moment,
    );
    expect(three).toMatchObject({ settledParts: 0, settledChunks: 3 });
    const four = turn(three, seen(large, { settled: settledOf(0, [1]) }), undefined, moment);
    expect(four).toMatchObject({ settledParts: 2, end: 'done', totals: { succeeded: 8 } });
  });

  describe('when nothing moves', () => {
    const idle = turn(sent, seen(small), undefined, moment);
    const later = { ...moment, now: moment.now + limits.idleLeases * leaseMs };

    it('sends unsettled chunks again after two leases without a result or a segment', () => {
      expect(idle).toMatchObject({ idleSince: moment.now, resend: false });
      const again = turn(idle, seen(small), undefined, later);
      expect(again).toMatchObject({ resend: true, resends: 1, messages: 6 });
      expect(again.idleSince).toBeUndefined();
    });

    it.each([
      ['a worker stored a segment', { segments: { count: 1, waitMs: 0 } }],
      ['a chunk settled', { settled: settledOf(0, [0]) }],
    ])('does not when %s', (_, what) => {
      const record = turn(idle, seen(small, what), undefined, later);
      expect(record.resend).toBe(false);
      expect(record.idleSince).toBeUndefined();
    });

    it('sends them again whatever else is in the queue, each time after twice the time', () => {
      const busy = { queueDepth: 9 };
      const first = turn(idle, seen(small, busy), undefined, later);
      expect(first).toMatchObject({ resend: true, fruitlessResends: 1 });
      const quiet = turn(first, seen(small, busy), undefined, later);
      const laterBy = (leases: number) => ({ ...moment, now: later.now + leases * leaseMs });
      expect(turn(quiet, seen(small, busy), undefined, laterBy(3)).resend).toBe(false);
      expect(turn(quiet, seen(small, busy), undefined, laterBy(4))).toMatchObject({
        resend: true,
        fruitlessResends: 2,
      });
      const settled = turn(first, seen(small, { settled: settledOf(0, [0]) }), undefined, later);
      expect(settled.fruitlessResends).toBeUndefined();
    });

    it('waits for the moment that a chunk was handed over for', () => {
      const waiting = { segments: { count: 1, waitMs: 900_000 } };
      const seenOnce = turn(sent, seen(small, waiting), undefined, moment);
      const quiet = turn(seenOnce, seen(small, waiting), undefined, moment);
      expect(turn(quiet, seen(small, waiting), undefined, later).resend).toBe(false);
      const over = { ...moment, now: moment.now + 900_000 + limits.idleLeases * leaseMs };
      expect(turn(quiet, seen(small, waiting), undefined, over).resend).toBe(true);
    });

    it('sends them again at once when somebody asks for it', () => {
      const record = turn(sent, seen(small, { queueDepth: 9, resendAsked: true }), undefined, moment);
      expect(record).toMatchObject({ resend: true, resends: 1 });
    });

    it('has nothing to send again before the first chunk was sent', () => {
      expect(turn(undefined, seen(small, { resendAsked: true }), undefined, moment).resend).toBe(false);
    });
  });

  describe('when the job is cancelled', () => {
    const large = cutOf(1_000, 1_000);
    const first = turn(undefined, seen(large), undefined, moment);
    const stopping = turn(first, seen(large, { settled: settledOf(0, [0, 1]) }), cancelled, moment);

    it('sends nothing any more and first lets workers store what they have', () => {
      expect(stopping).toMatchObject({ cancelledAt: moment.now, send: [1_000, 1_000], settleRest: false });
      expect(stopping.end).toBeUndefined();
      expect(stopping.nextAt - stopping.at).toBeLessThanOrEqual(2_000);
    });

    it('settles the rest of what was sent after the grace, also when control has gone', () => {
      const record = turn(stopping, seen(large), undefined, { ...moment, now: moment.now + 4_000 });
      expect(record).toMatchObject({ settleRest: true, resend: false });
      // What it settles is counted at once.
      expect(record.nextAt).toBe(record.at);
    });

    it.each([
      ['when workers had the time to store what they have', {}, 4_000],
      ['when they had it, though the queue seems empty', { queueDepth: 0 }, 4_000],
      ['at once where nobody can have anything in hand', { isNobodyAtWork: true }, 0],
    ])('settles the rest %s', (_when, more, afterMs) => {
      const at = (ms: number) =>
        turn(stopping, seen(large, more), cancelled, { ...moment, now: moment.now + ms }).settleRest;
      expect([afterMs > 0 && at(afterMs - 1), at(afterMs)]).toEqual([false, true]);
    });

    it('settles the rest soon also when the cancellation was seen under a clock that was ahead', () => {
      const ahead = turn(first, seen(large), cancelled, { ...moment, now: moment.now + 3_600_000 });
      expect(turn(ahead, seen(large), cancelled, moment)).toMatchObject({ settleRest: true });
    });

    it('ends when what was sent is settled, and counts what was never sent as cancelled', () => {
      const rest = settledOf(
        0,
        Array.from({ length: 998 }, (_, n) => n + 2),
      );
      const record = turn(stopping, seen(large, { settled: rest }), cancelled, { ...moment, now: moment.now + 5_000 });
      expect(record).toMatchObject({ end: 'cancelled', totals: { succeeded: 2_000, cancelled: 2_000 } });
      const repeated = turn(record, seen(large), cancelled, { ...moment, now: moment.now + 9_000 });
      expect(repeated).toMatchObject({ end: 'cancelled', totals: { succeeded: 2_000, cancelled: 2_000 } });
    });

    it('ends at once when nothing was sent', () => {
      expect(turn(undefined, seen(small), cancelled, moment)).toMatchObject({
        end: 'cancelled',
        send: [0, 0],
        totals: { cancelled: 6 },
      });
    });
  });

  it('comes again every second at first, then every two, then ever later up to 15 s', () => {
    let record: TickRecord | undefined;
    const delays: number[] = [];
    for (let n = 0; n < 11; n++) {
      record = turn(record, seen(small, { queueDepth: 1 }), undefined, moment);
      delays.push((record.nextAt - record.at) / 1_000);
    }
    expect(delays).toEqual([1, 1, 1, 2, 2, 2, 3, 5, 8, 15, 15]);
  });

  it('comes as soon for a job with limits, of which nobody knows yet how long it takes, and later when its seats go on by themselves', () => {
    const limited = { limits: { maxConcurrency: 2 }, seats: 1 };
    const held: SeatNote = {
      v: 1,
      seat: 0,
      epoch: 1,
      writes: 1,
      writer: 'w',
      phase: 'held',
      leaseMs: 40_000,
      open: [],
      hand: [],
      debt: { callsMs: 0, unitsMs: 0 },
      status: { running: 0 },
    };
    const seats = {
      control: { revision: 0, table: limited },
      seats: [{ note: held, isFree: false }],
      isCalm: true,
      workers: 5,
    };
    let record: TickRecord | undefined;
    const delays: number[] = [];
    for (let n = 0; n < 12; n++) {
      record = turn(record, seen(small, { seats, queueDepth: 1 }), undefined, moment);
      delays.push((record.nextAt - record.at) / 1_000);
    }
    expect(delays.slice(1)).toEqual([1, 1, 2, 2, 2, 3, 5, 8, 15, 60, 60]);
  });

  it.each([
    ['soon while the chunks that were sent settle quickly', 100, 2.75],
    ['late while they last for long', 1, 15],
  ])('comes %s, when there are more to send', (_, perTurn, seconds) => {
    const cut = cutOf(1_000, 1_000, 1_000);
    let now = moment.now;
    let record = turn(undefined, seen(cut), undefined, moment);
    for (let n = 0; n < 9; n++) {
      now += 1_000;
      const from = record.settledChunks;
      const settled = settledOf(
        0,
        Array.from({ length: perTurn }, (__, i) => from + i),
      );
      record = turn(record, seen(cut, { settled }), undefined, { ...moment, now });
    }
    expect(record.nextAt - record.at).toBe(1_000 * seconds);
  });

  it('leaves the only chunk to the fan-out in an inline turn, and guards it', () => {
    const record = turn(undefined, seen(small, { inline: true }), undefined, moment);
    expect(record).toMatchObject({ send: [0, 3], messages: 0, nextAt: moment.now + 1_000 * limits.guardTickSeconds });
  });

  it('is the same for the same arguments and changes none of them', () => {
    const observed = seen(small, { settled: settledOf(0, [0]) });
    const before = structuredClone({ sent, observed });
    const again = turn(sent, observed, undefined, moment);
    expect(turn(sent, observed, undefined, moment)).toEqual(again);
    expect({ sent, observed }).toEqual(before);
  });

  it('brings any job to its end: each chunk is sent, settled, and counted once, with lost sends and a cancellation at any time', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, fc.integer(), fc.option(fc.nat(30)), (counts, seed, cancelAt) => {
        const roll = seededRandom(seed);
        const cut = cutOf(...counts);
        const place = (chunk: number): { part: number; chunk: number } => {
          let rest = chunk;
          let part = 0;
          while (rest >= (counts[part] ?? 0)) rest -= counts[part++] ?? 0;
          return { part, chunk: rest };
        };
        const queue = new Set<number>();
        const settled = new Set<number>();
        const known = new Set<number>();
        let record: TickRecord | undefined;
        let now = 0;
        for (let n = 0; record?.end === undefined; n++) {
          expect(n).toBeLessThan(500);
          // Workers settle some of what is in the queue, and some messages are lost.
          for (const chunk of queue) {
            if (roll() < 0.6) settled.add(chunk);
            if (settled.has(chunk) || roll() < 0.05) queue.delete(chunk);
          }
          const open = new Set(openParts(record));
          const news = [...settled].filter((chunk) => !known.has(chunk) && open.has(place(chunk).part));
          // A result that LIST gives again must not count again.
          const twice = news.length === 0 ? [] : [...known].filter((chunk) => open.has(place(chunk).part)).slice(0, 3);
          const control = cancelAt !== null && n >= cancelAt ? cancelled : undefined;
          const observed = seen(cut, {
            settled: [...news, ...twice].map((chunk) => ({ ...place(chunk), digest: counted(2) })),
            queueDepth: queue.size,
          });
          const before: TickRecord | undefined = record;
          record = turn(before, observed, control, { now, writer: 'w', leaseMs });
          for (const chunk of news) known.add(chunk);
          expect(record.send[0]).toBe(before?.send[1] ?? 0);
          expect(record.settledChunks).toBe(known.size);
          for (let chunk = record.send[0]; chunk < record.send[1]; chunk++) if (roll() > 0.05) queue.add(chunk);
          if (record.resend || record.settleRest) {
            for (let chunk = 0; chunk < record.send[0]; chunk++) {
              if (settled.has(chunk)) continue;
              if (record.resend) queue.add(chunk);
              else settled.add(chunk);
            }
          }
          now = Math.max(now + 1_000, record.nextAt);
        }
        const { totals, end, send } = record;
        expect(totals.succeeded + totals.cancelled).toBe(cut.items);
        expect(totals.succeeded).toBe(2 * settled.size);
        if (end === 'done') expect(settled.size).toBe(cut.chunks);
        else expect(settled.size).toBe(send[1]);
      }),
      { numRuns: 25 },
    );
  });
});
