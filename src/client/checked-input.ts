/** Bytes of an input whose items were all checked by the one who writes them; `mark` says by which version of their task. */
export class CheckedInput implements AsyncIterable<Uint8Array> {
  readonly mark: string | undefined;
  readonly #blocks: AsyncIterable<Uint8Array>;

  /** @param mark of `checkMark`; undefined where the version is not known, and the stack checks the items itself */
  constructor(blocks: AsyncIterable<Uint8Array>, mark: string | undefined) {
    this.#blocks = blocks;
    this.mark = mark;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#blocks[Symbol.asyncIterator]();
  }
}
