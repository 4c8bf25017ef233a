import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

/**
 * The thread that the embedded DynamoDB runs on, a file of its own since Node starts it by name. Dynalite throws what it did not
 * expect outside of any request: that ends this thread, and nothing else.
 */
const server = dynalite({ path: String(workerData), createTableMs: 0 });
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
// A server that listens on a port of TCP has such an address.
parentPort?.postMessage((server.address() as AddressInfo).port);
parentPort?.once('message', () => {
  server.close(() => process.exit());
  server.closeAllConnections();
});
