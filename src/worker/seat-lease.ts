import { lateMs } from '../folder/hedged-reads.ts';
import { readSeat, type StoredSeat } from '../folder/seats.ts';
import { type JobFolder, seatKey } from '../format/paths.ts';
import { debtLeft, type SeatDebt, type SeatDrain, type SeatNote, seatFormat } from '../format/seat.ts';
import type { WriteCondition } from '../ports.ts';
import type { LastWrite, WorkerDeps } from './deps.ts';

/**
 * What is left of a lease, for tries each second, when it is renewed; at most half of it. A PUT in 15 s instead of 21 is 1 % more of a
 * worker's price. https://aws.amazon.com/s3/pricing/
 */
const renewLeftMs = 9_000;

/** What a downstream took so long ago says nothing of now. */
const brakeKnownMs = 60_000;

/** The calls of a process that is being ended have ended after this time, in milliseconds. */
const endMs = 1_000;

type LeaseDeps = Pick<WorkerDeps, 'store' | 'clock' | 'log' | 'writer' | 'leaseSeconds'>;

/** What a holder writes into its seat's note. */
export type SeatContent = Pick<SeatNote, 'open' | 'hand' | 'done' | 'debt' | 'drain' | 'status'>;

/** What came of a try to take a seat. */
export type Claim =
  | {
      readonly kind: 'taken';
      readonly lease: SeatLease;
      readonly debt: SeatDebt;
      /** Starts a second to which refusals had brought the last holder, if that was lately. */
      readonly brakedTo?: number | undefined;
    }
  | { readonly kind: 'live'; readonly freeInMs: number };

/** The right to one seat, as this invocation has it: it counts from the begin of the write that took or renewed it. */
export class SeatLease {
  readonly #deps: LeaseDeps;
  readonly #job: JobFolder;
  #note: SeatNote;
  #etag: string;
  #since: number;
  #isLost = false;

  private constructor(deps: LeaseDeps, job: JobFolder, written: Written) {
    this.#deps = deps;
    this.#job = job;
    this.#note = written.note;
    this.#etag = written.etag;
    this.#since = written.since;
  }

  /** Takes a seat if nobody can hold it any more. Of two who try only one wins. */
  static async take(deps: LeaseDeps, job: JobFolder, claim: SeatClaim): Promise<Claim> {
    const { clock, writer } = deps;
    const { seat, stored: read } = claim;
    const before = read?.note;
    if (read !== undefined && read.freeInMs > 0) return { kind: 'live', freeInMs: read.freeInMs };
    const debt = read === undefined ? noDebt : debtOf(read, claim.intervalMs, clock.now());
    const note: SeatNote = {
      v: 1,
      seat,
      epoch: (before?.epoch ?? 0) + 1,
      writer,
      writes: 0,
      phase: 'held',
      leaseMs: 1_000 * deps.leaseSeconds,
      // Until the new holder has opened them they stand where the last one left them.
      open: [],
      hand: before === undefined ? [] : inheritance(before),
      debt: { ...debt, at: clock.now() },
      ...drainLeft(read),
      status: { running: 0 },
    };
    const since = clock.now();
    const condition = read === undefined ? ({ ifAbsent: true } as const) : { ifMatch: read.etag };
    let etag = await putNote(deps, job, { note, condition });
    if (etag === undefined) {
      // Another took the seat first, unless it was this very write whose answer was lost.
      const stands = await readSeat(deps.store, job, seat);
      if (stands === undefined || !isSame(stands.note, note)) return { kind: 'live', freeInMs: stands?.freeInMs ?? 0 };
      etag = stands.etag;
    }
    const brakedTo = read !== undefined && read.ageMs < brakeKnownMs ? read.note.status.brakedTo : undefined;
    return { kind: 'taken', lease: new SeatLease(deps, job, { note, etag, since }), debt, brakedTo };
  }

  get seat(): number {
    return this.#note.seat;
  }

  get epoch(): number {
    return this.#note.epoch;
  }

  get hand(): SeatNote['hand'] {
    return this.#note.hand;
  }

  get drain(): SeatDrain | undefined {
    return this.#note.drain;
  }

  /** Whether a call may start under it at this moment. */
  isLive(now: number): boolean {
    return !this.#isLost && now - this.#since < this.#note.leaseMs;
  }

  /** So much of its time is over that it is renewed, if no chunk was begun meanwhile, which renews it too. */
  isDue(now: number): boolean {
    const { leaseMs } = this.#note;
    return now - this.#since >= Math.max(leaseMs / 2, leaseMs - renewLeftMs);
  }

  /** Writes the note anew, which renews the lease or ends it; resolves to whether it is still this invocation's. */
  async write(content: SeatContent, phase: SeatNote['phase'] = 'held'): Promise<boolean> {
    const { clock, log } = this.#deps;
    const { done: _done, drain: _drain, ...before } = this.#note;
    const note: SeatNote = { ...before, ...content, phase, writes: before.writes + 1 };
    const since = clock.now();
    try {
      const etag = await putNote(this.#deps, this.#job, { note, condition: { ifMatch: this.#etag } });
      if (etag === undefined) return await this.#readBack(note, phase);
      this.#note = note;
      this.#etag = etag;
      this.#since = since;
      return true;
    } catch (error) {
      // It may stand all the same.
      this.#note = { ...this.#note, writes: note.writes };
      const fields = { jobId: this.#job.id, seat: note.seat, error: String(error) };
      log('warn', 'the note of a seat was not written; it is tried again', fields);
      return false;
    }
  }

  /**
   * The note of a holder whose process ends as soon as it stands: the seat is free, what was begun under it is under suspicion, and
   * its calls, which end with it, are part of the share until then.
   */
  lastNote(content: SeatContent, calls: Omit<SeatDrain, 'ms'>): LastWrite {
    const { drain } = content;
    const note: SeatNote = {
      ...this.#note,
      ...content,
      writes: this.#note.writes + 1,
      phase: 'released',
      open: [],
      hand: inheritance({ ...content, phase: 'held' }),
      drain: {
        seat: drain?.seat ?? calls.seat,
        running: calls.running + (drain?.running ?? 0),
        ms: Math.max(endMs, drain?.ms ?? 0),
      },
      status: { running: 0 },
    };
    return { key: seatKey(this.#job, note.seat), body: Buffer.from(seatFormat.encode(note)), ifMatch: this.#etag };
  }

  /** The condition failed: the answer to a write of one's own was lost, or another has the seat. */
  async #readBack(note: SeatNote, phase: SeatNote['phase']): Promise<boolean> {
    const { store, log, writer } = this.#deps;
    const stored = await readSeat(store, this.#job, note.seat);
    if (stored?.note.writer === writer && stored.note.epoch === note.epoch) {
      // Which of the writes it was that stood is told by their number; the lease counts from the last that is known.
      this.#note = { ...this.#note, writes: Math.max(stored.note.writes, note.writes) };
      this.#etag = stored.etag;
      if (stored.note.writes === note.writes && stored.note.phase === phase) {
        this.#note = note;
        return true;
      }
      return false;
    }
    this.#isLost = true;
    log('warn', 'a seat was lost to another worker', { jobId: this.#job.id, seat: note.seat });
    return false;
  }
}

/** Writes a note; one whose answer is late is looked for, since calls wait for it. Resolves to undefined when the condition did not hold. */
function putNote(
  { store, clock }: LeaseDeps,
  job: JobFolder,
  { note, condition }: { readonly note: SeatNote; readonly condition: WriteCondition },
): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const key = seatKey(job, note.seat);
  const body = seatFormat.encode(note);
  const look = async (): Promise<void> => {
    const stored = await readSeat(store, job, note.seat);
    if (stored !== undefined && isSame(stored.note, note)) resolve(stored.etag);
  };
  const cancel = clock.after(lateMs, () => void look().catch(() => undefined));
  store.put(key, body, { condition }).finally(cancel).then(resolve, reject);
  return promise;
}

/** Whether a note that stands is this very one: each write of a holder has a number of its own. */
const isSame = (stands: SeatNote, { writer, epoch, writes }: SeatNote): boolean =>
  stands.writer === writer && stands.epoch === epoch && stands.writes === writes;

interface Written {
  readonly note: SeatNote;
  readonly etag: string;
  readonly since: number;
}

/** A seat that somebody wants. */
export interface SeatClaim {
  readonly seat: number;
  /** What stands of it; undefined where nobody has ever taken it. */
  readonly stored: StoredSeat | undefined;
  /** Milliseconds between two starts under it. */
  readonly intervalMs: number;
}

/** What is to be waited for: a holder that died may have started a call as late as its lease allowed. */
function debtOf({ note, ageMs }: StoredSeat, intervalMs: number, now: number): Pick<SeatDebt, 'callsMs' | 'unitsMs'> {
  const left = debtLeft(note.debt, { ageMs, now });
  if (note.phase === 'released') return left;
  return { ...left, callsMs: Math.max(left.callsMs, intervalMs - Math.max(0, ageMs - note.leaseMs)) };
}

/** Calls that may be under way still of a holder before; S3's clock tells to the second how long ago that was written. */
function drainLeft(read: StoredSeat | undefined): { readonly drain?: SeatDrain } {
  const drain = read?.note.drain;
  const ms = drain === undefined || read === undefined ? 0 : drain.ms - Math.max(0, read.ageMs - 1_000);
  return drain === undefined || ms <= 0 ? {} : { drain: { ...drain, ms } };
}

const noDebt = { callsMs: 0, unitsMs: 0 };

/** What the next holder goes on with: of a holder that died, what it had begun is under suspicion. */
export function inheritance({ phase, open, hand }: Pick<SeatNote, 'phase' | 'open' | 'hand'>): SeatNote['hand'] {
  const begun = phase === 'released' ? open : open.map((chunk) => ({ ...chunk, deaths: (chunk.deaths ?? 0) + 1 }));
  return [...begun, ...hand];
}
