import { sqsBilledBytes } from '../folder/prices.ts';
import type { Digest } from '../format/digest.ts';
import type { InputReader, ObjectStore, Queue } from '../ports.ts';

/** Requests that AWS bills, by kind. */
export type Requests = Pick<Digest, 's3Writes' | 's3Reads' | 'sqsRequests'>;

/** Keys in one answer of a LIST, each of which is billed. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const pageKeys = 1_000;
/** Messages of one SendMessageBatch. */
const batchMessages = 10;

/** Requests of a port for queues, billed by what they carry. */
const billed = (bytes: number): number => Math.max(1, Math.ceil(bytes / sqsBilledBytes));

/**
 * Counts the requests that go through ports, so that a job's price is known and not guessed. What the SDK repeats by itself is not
 * seen here.
 */
export class RequestCount {
  #s3Writes = 0;
  #s3Reads = 0;
  #sqsRequests = 0;

  /** Takes what was counted since the last time. */
  take(): Requests {
    const taken = { s3Writes: this.#s3Writes, s3Reads: this.#s3Reads, sqsRequests: this.#sqsRequests };
    this.#s3Writes = 0;
    this.#s3Reads = 0;
    this.#sqsRequests = 0;
    return taken;
  }

  store(store: ObjectStore): ObjectStore {
    return {
      get: (key) => {
        this.#s3Reads++;
        return store.get(key);
      },
      head: (key) => {
        this.#s3Reads++;
        return store.head(key);
      },
      put: (key, body, options) => {
        this.#s3Writes++;
        return store.put(key, body, options);
      },
      delete: (key) => store.delete(key),
      list: async (prefix, options) => {
        const keys = await store.list(prefix, options);
        this.#s3Writes += Math.max(1, Math.ceil(keys.length / pageKeys));
        return keys;
      },
    };
  }

  input(input: InputReader): InputReader {
    return {
      head: (at) => {
        this.#s3Reads++;
        return input.head(at);
      },
      stream: (at, range) => {
        this.#s3Reads++;
        return input.stream(at, range);
      },
    };
  }

  queue(queue: Queue): Queue {
    return {
      send: (bodies, options) => {
        for (let at = 0; at < bodies.length; at += batchMessages) {
          const batch = bodies.slice(at, at + batchMessages);
          this.#sqsRequests += billed(batch.reduce((sum, body) => sum + Buffer.byteLength(body), 0));
        }
        return queue.send(bodies, options);
      },
      receive: async (options) => {
        const received = await queue.receive(options);
        this.#sqsRequests += billed(received.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0));
        return received;
      },
      delete: (receiptHandle) => {
        this.#sqsRequests++;
        return queue.delete(receiptHandle);
      },
      changeVisibility: (receiptHandle, seconds) => {
        this.#sqsRequests++;
        return queue.changeVisibility(receiptHandle, seconds);
      },
      depth: () => {
        this.#sqsRequests++;
        return queue.depth();
      },
    };
  }
}
