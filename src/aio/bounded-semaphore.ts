import { Semaphore } from './semaphore.ts';

/** A semaphore that refuses to be released more often than it was acquired. */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  /** @param value how many places there are. @default 1 */
  constructor(value = 1) {
    super(value);
    this.#bound = value;
  }

  /** @throws RangeError when all places are free already. */
  override release(): void {
    if (this.value >= this.#bound)
      throw new RangeError(`the semaphore was released more often than acquired (${this.#bound})`);
    super.release();
  }
}
