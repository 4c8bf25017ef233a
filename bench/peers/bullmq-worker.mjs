import { createWriteStream } from 'node:fs';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

const [port, output, atOnce] = process.argv.slice(2);
const out = createWriteStream(output);
const dispatcher = new Agent({ connections: Number(atOnce) });
let settled = 0;
const worker = new Worker(
  'calls',
  async ({ data }) => {
    const { statusCode, body } = await request(data.url, { dispatcher });
    const value = await body.json();
    out.write(`${JSON.stringify({ index: data.index, status: statusCode, value })}\n`);
    return value;
  },
  { connection: new Redis({ port: Number(port), maxRetriesPerRequest: null }), concurrency: Number(atOnce) },
);
worker.on('completed', () => settled++);
const timer = setInterval(() => {
  if (settled > 0) process.send(settled);
  settled = 0;
}, 20);
process.on('disconnect', () => process.exit(1));
process.on('message', async () => {
  clearInterval(timer);
  await worker.close();
  await new Promise((resolve) => out.end(resolve));
  process.exit();
});
