import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import type { Held } from './held-message.ts';

/** How often the holds are looked at, in milliseconds. */
const lookMs = 1_000;

interface Hold {
  /** When the last renewal that SQS took began. */
  since: number;
  /** When a renewal was last tried. */
  triedAt: number;
  /** That try failed. */
  failed: boolean;
  renewal: Promise<void> | undefined;
}

/** The holds on received messages: each is renewed from the moment its message is here until it is let go. */
export class Holds {
  readonly #deps: Pick<WorkerDeps, 'queue' | 'clock' | 'log' | 'leaseSeconds' | 'holdSeconds'>;
  readonly #holds = new Map<Held, Hold>();
  #stopTimer: (() => void) | undefined;

  constructor(deps: Pick<WorkerDeps, 'queue' | 'clock' | 'log' | 'leaseSeconds' | 'holdSeconds'>) {
    this.#deps = deps;
  }

  /** Holds a message; `fresh` when it was received with the lease as its visibility, else it is renewed at once. */
  take(held: Held, fresh: boolean): void {
    if (held.receiptHandle === undefined) return;
    const now = this.#deps.clock.now();
    const hold: Hold = { since: now, triedAt: now, failed: false, renewal: undefined };
    this.#holds.set(held, hold);
    if (!fresh) this.#renew(held, hold);
    this.#stopTimer ??= this.#deps.clock.after(lookMs, () => this.#look());
  }

  /** No longer renews the hold on a message: it is done with, or has to come back. Waits for a renewal that is under way. */
  async release(held: Held): Promise<void> {
    const hold = this.#holds.get(held);
    this.#holds.delete(held);
    await hold?.renewal;
  }

  /** Whether somebody else may have the message by now: no renewal was taken for as long as a hold lasts. */
  isLapsed(held: Held): boolean {
    const hold = this.#holds.get(held);
    return hold !== undefined && !this.#isWithin(hold.since, this.#leaseMs);
  }

  /** Whether less than `ms` has passed since an instant; not when that lies ahead, since the clock was set back then. */
  #isWithin(since: number, ms: number): boolean {
    const passedMs = this.#deps.clock.now() - since;
    return passedMs >= 0 && passedMs < ms;
  }

  /** Ends all renewals, and waits for those under way. */
  async stop(): Promise<void> {
    this.#stopTimer?.();
    await Promise.all([...this.#holds.keys()].map((held) => this.release(held)));
  }

  get #holdSeconds(): number {
    const { leaseSeconds, holdSeconds = leaseSeconds } = this.#deps;
    return holdSeconds;
  }

  get #leaseMs(): number {
    return 1_000 * this.#deps.leaseSeconds;
  }

  #look(): void {
    for (const [held, hold] of this.#holds) {
      const everyMs = hold.failed ? lookMs : (1_000 * this.#holdSeconds) / limits.renewalsPerLease;
      if (hold.renewal === undefined && !this.#isWithin(hold.triedAt, everyMs)) this.#renew(held, hold);
    }
    this.#stopTimer = this.#holds.size === 0 ? undefined : this.#deps.clock.after(lookMs, () => this.#look());
  }

  #renew(held: Held, hold: Hold): void {
    hold.renewal = this.#tryToRenew(held, hold).finally(() => {
      hold.renewal = undefined;
    });
  }

  async #tryToRenew(held: Held, hold: Hold): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const { receiptHandle, messageId } = held;
    if (receiptHandle === undefined) return;
    const startedAt = clock.now();
    const isFirstFailure = !hold.failed;
    hold.triedAt = startedAt;
    try {
      await queue.changeVisibility(receiptHandle, this.#holdSeconds);
      hold.since = startedAt;
      hold.failed = false;
    } catch (error) {
      hold.failed = true;
      if (isFirstFailure)
        log('warn', 'the hold on a message was not renewed; it is tried again', { messageId, error: String(error) });
    }
  }
}
