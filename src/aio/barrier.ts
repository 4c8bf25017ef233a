import { Condition } from './condition.ts';
import { BrokenBarrierError } from './loop/errors.ts';
import { expectCount } from './loop/numbers.ts';
import { watched } from './loop/watched.ts';

type State = 'filling' | 'draining' | 'resetting' | 'broken';

/**
 * Lets tasks wait for each other until `parties` of them have come, and can be used again.
 *
 * Difference to Python: no `async with`, since leaving it does nothing.
 */
export class Barrier {
  readonly parties: number;
  readonly #condition = new Condition();
  #state: State = 'filling';
  #count = 0;

  /** @throws RangeError when `parties` is less than 1. */
  constructor(parties: number) {
    expectCount(parties, 'the parties of a barrier', 1);
    this.parties = parties;
  }

  /** How many wait for the others. */
  get nWaiting(): number {
    return this.#state === 'filling' ? this.#count : 0;
  }

  get broken(): boolean {
    return this.#state === 'broken';
  }

  /**
   * Waits for the others; returns a number from 0 to `parties - 1` that is unique in this round, unless, as in Python,
   * somebody's wait was cancelled in it.
   *
   * @throws BrokenBarrierError
   */
  wait(): Promise<number> {
    return watched(this.#wait());
  }

  async #wait(): Promise<number> {
    using _held = await this.#condition.hold();
    await this.#admission();
    const index = this.#count;
    this.#count += 1;
    try {
      if (index + 1 === this.parties) this.#release();
      else await this.#filled();
      return index;
    } finally {
      this.#count -= 1;
      this.#leave();
    }
  }

  /** Makes it empty again; those who wait get BrokenBarrierError. */
  reset(): Promise<void> {
    return watched(this.#change(() => (this.#count > 0 ? 'resetting' : 'filling')));
  }

  /** Breaks it: everybody who waits or will wait gets BrokenBarrierError, until `reset`. */
  abort(): Promise<void> {
    return watched(this.#change(() => 'broken'));
  }

  async #change(next: () => State): Promise<void> {
    using _held = await this.#condition.hold();
    this.#state = next();
    this.#condition.notifyAll();
  }

  async #admission(): Promise<void> {
    await this.#condition.waitFor(() => this.#state !== 'draining' && this.#state !== 'resetting');
    if (this.#state === 'broken') throw new BrokenBarrierError('the barrier was aborted');
  }

  async #filled(): Promise<void> {
    await this.#condition.waitFor(() => this.#state !== 'filling');
    if (this.#state !== 'draining') throw new BrokenBarrierError('the barrier was aborted or reset');
  }

  #release(): void {
    this.#state = 'draining';
    this.#condition.notifyAll();
  }

  #leave(): void {
    if (this.#count > 0) return;
    if (this.#state === 'resetting' || this.#state === 'draining') this.#state = 'filling';
    this.#condition.notifyAll();
  }
}
