import { Condition } from './condition.ts';
import { BrokenBarrierError } from './errors.ts';

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
    if (!(parties >= 1)) throw new RangeError(`a barrier needs at least 1 party, got ${parties}`);
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
  async wait(): Promise<number> {
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
  async reset(): Promise<void> {
    using _held = await this.#condition.hold();
    this.#state = this.#count > 0 ? 'resetting' : 'filling';
    this.#condition.notifyAll();
  }

  /** Breaks it: everybody who waits or will wait gets BrokenBarrierError, until `reset`. */
  async abort(): Promise<void> {
    using _held = await this.#condition.hold();
    this.#state = 'broken';
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
