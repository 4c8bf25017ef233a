import { type JobFolder, resultsPrefix, summaryKey } from '../format/paths.ts';

/** Tells the key of each object as it is stored; the answer ends it. Undefined where nobody tells: only the process that runs the embedded cloud knows. */
export type TellStored = (listener: (key: string) => void) => (() => void) | undefined;

/**
 * Ends the pause between two looks at a job when there is something to see at its end: as many results as were missing, or the
 * summary. Where nobody tells what is stored, looks go by time alone.
 */
export class Wake implements Disposable {
  readonly #end: () => void;
  #stored = 0;
  #hasSummary = false;
  #missing = Number.POSITIVE_INFINITY;
  #ring = (): void => {};

  constructor(tell: TellStored | undefined, folder: JobFolder) {
    const summary = summaryKey(folder);
    const results = resultsPrefix(folder, 0).replace(/\d+\/$/, '');
    this.#end =
      tell?.((key) => {
        if (key === summary) this.#hasSummary = true;
        else if (key.startsWith(results)) this.#stored++;
        if (this.#isDue()) this.#ring();
      }) ?? (() => {});
  }

  /** A look begins: what is stored from now on may be missed by it. */
  look(): void {
    this.#stored = 0;
    this.#hasSummary = false;
  }

  /** Aborted when it is worth to look again; `missing` is how many results the last look did not see. */
  after(missing: number): AbortSignal {
    this.#missing = missing === 0 ? Number.POSITIVE_INFINITY : missing;
    const due = new AbortController();
    this.#ring = () => due.abort();
    if (this.#isDue()) due.abort();
    return due.signal;
  }

  #isDue(): boolean {
    return this.#hasSummary || this.#stored >= this.#missing;
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
