import type { Clock, InputReader, ObjectStore } from '../ports.ts';
import { soonest } from './soonest.ts';

/** A store that reads once more beside a read that is late: S3 is slow for some requests at a time, and calls wait for what is read. */
export function hedgedReads(store: ObjectStore, clock: Clock): ObjectStore {
  return {
    get: (key) => soonest(clock, () => store.get(key)),
    head: (key) => soonest(clock, () => store.head(key)),
    list: (prefix, options) => soonest(clock, () => store.list(prefix, options)),
    put: (key, body, options) => store.put(key, body, options),
    delete: (key) => store.delete(key),
  };
}

/** The same for ranges of an input, by their first block; what comes after it is let go, so that it holds no socket. */
export function hedgedInput(input: InputReader, clock: Clock): InputReader {
  return {
    head: (at) => input.head(at),
    async *stream(at, range) {
      let isTaken = false;
      const { blocks, first } = await soonest(clock, async () => {
        const blocks = input.stream(at, range)[Symbol.asyncIterator]();
        const first = await blocks.next();
        if (isTaken) await blocks.return?.();
        isTaken = true;
        return { blocks, first };
      });
      try {
        for (let block = first; block.done !== true; block = await blocks.next()) yield block.value;
      } finally {
        await blocks.return?.();
      }
    },
  };
}
