// The embedded cloud's SQS alone, for the peer that reads batches: the same queue that Fanloop's own run has.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openSqsQueues } from '../src/cloud/sqs/queues.ts';
import { answerSqs } from '../src/cloud/sqs/server.ts';
import { systemClock } from '../src/runtime/system.ts';

let port = 0;
const queues = openSqsQueues(() => `http://127.0.0.1:${port}`, systemClock);
const server = createServer((request, response) => {
  void answerSqs(request, response, { queues, authorize: () => true });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
port = (server.address() as AddressInfo).port;
process.on('SIGTERM', () => process.exit());
console.log(port);
