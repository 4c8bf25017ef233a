/** A set of small numbers, kept as base64: which chunks of a part are settled. */
export class Bitmap {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  private constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  static of(size: number, encoded?: string): Bitmap {
    const bytes = new Uint8Array(Math.ceil(size / 8));
    if (encoded !== undefined) bytes.set(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
    return new Bitmap(bytes);
  }

  has(n: number): boolean {
    return ((this.#bytes[n >> 3] ?? 0) & (1 << (n & 7))) !== 0;
  }

  add(n: number): void {
    this.#bytes[n >> 3] = (this.#bytes[n >> 3] ?? 0) | (1 << (n & 7));
  }

  get size(): number {
    let count = 0;
    for (const byte of this.#bytes) for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
    return count;
  }

  encode(): string {
    return btoa(String.fromCharCode(...this.#bytes));
  }
}
