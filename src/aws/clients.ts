import type { InputReader, ObjectStore, Queue } from '../ports.ts';

/** What a function calls AWS with: the SDK, or on this machine what does the same without it. */
export interface Clients {
  readonly store: (bucket: string) => ObjectStore;
  readonly input: InputReader;
  readonly queue: (url: string) => Queue;
}
