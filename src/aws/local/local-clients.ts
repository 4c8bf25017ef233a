import type { Clients } from '../clients.ts';
import type { Connection } from '../connection.ts';
import { LocalInput } from './local-input.ts';
import { LocalQueue } from './local-queue.ts';
import { LocalRequests } from './local-requests.ts';
import { LocalStore } from './local-store.ts';

/** The clients of a function of the embedded cloud. */
export function localClients(connection: Connection, trace: () => string | undefined): Clients {
  const requests = new LocalRequests(connection, trace);
  return {
    store: (bucket) => new LocalStore(requests, bucket),
    input: new LocalInput(requests),
    queue: (url) => new LocalQueue(requests, url),
  };
}
