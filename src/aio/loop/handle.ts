/** Something that will be called and can be taken back. */
export interface Handle {
  cancel(): void;
}

/** A callback in a loop's queue. */
export class Scheduled implements Handle {
  readonly callback: () => void;
  cancelled = false;

  constructor(callback: () => void) {
    this.callback = callback;
  }

  cancel(): void {
    this.cancelled = true;
  }
}
