/** What the tests of the thread pool run on its threads. */
export function square(n: number): number {
  return n * n;
}

export function fail(message: string): never {
  throw new Error(message);
}

/** Computes for ever, and counts its rounds where others can see them. */
export function spin(shared: SharedArrayBuffer): never {
  const count = new Int32Array(shared);
  for (;;) Atomics.add(count, 0, 1);
}

export function size(buffer: ArrayBuffer): number {
  return buffer.byteLength;
}
