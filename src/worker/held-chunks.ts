import type { WorkMessage } from '../format/message.ts';
import { placeName } from './seat-scan.ts';

/** The chunks that the holder of a seat has: those that are begun, and in its hand those that go on when their time has come. */
export class HeldChunks {
  readonly #open = new Map<string, WorkMessage>();
  #hand: WorkMessage[];

  constructor(hand: readonly WorkMessage[]) {
    this.#hand = [...hand];
  }

  /** Those that are begun and not settled. */
  get open(): readonly WorkMessage[] {
    return [...this.#open.values()];
  }

  get hand(): readonly WorkMessage[] {
    return [...this.#hand];
  }

  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  /** When the next chunk in hand may go on; undefined when none is. */
  get nextAt(): number | undefined {
    return this.#hand.length === 0 ? undefined : Math.min(...this.#hand.map(({ notBefore = 0 }) => notBefore));
  }

  /** Whether the chunk of that {@link placeName} is among them. */
  has(place: string): boolean {
    return this.#open.has(place) || this.#hand.some((message) => placeName(message) === place);
  }

  /** The chunk is begun: nobody must give it once more. */
  begin(message: WorkMessage): void {
    this.#open.set(placeName(message), message);
  }

  /** The chunk is settled: nothing of it is left to do. */
  finished(message: WorkMessage): void {
    this.#open.delete(placeName(message));
  }

  /** What is left of a chunk goes on later, here or with the next holder. */
  keep(message: WorkMessage): void {
    this.#open.delete(placeName(message));
    this.#hand.push(message);
  }

  /** Takes one chunk out of the hand. */
  takeOut(message: WorkMessage): void {
    this.#hand.splice(this.#hand.indexOf(message), 1);
  }

  /** Takes over what another had in hand. */
  inherit(messages: readonly WorkMessage[]): void {
    this.#hand.push(...messages);
  }

  /** They are another's now. */
  letGo(messages: readonly WorkMessage[]): void {
    this.#hand = this.#hand.filter((message) => !messages.includes(message));
  }

  /** Leaves a part of the hand to the next holder of the seat, and goes on with what stood in the note of the seat beyond the table. */
  exchange(left: readonly WorkMessage[], found: readonly WorkMessage[]): void {
    this.letGo(left);
    this.#hand = [...found, ...this.#hand];
  }
}
