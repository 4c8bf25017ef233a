// BullMQ: a Redis of its own, two workers of half the calls each, every job with three attempts. Values stay in the workers' files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const [input, output, atOnce] = process.argv.slice(2);
const urls = (await readFile(input, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const port = await freePort();
const folder = await mkdtemp(path.join(tmpdir(), 'bench-redis-'));
const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', folder], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept')) break;
const worker = new URL('bullmq-worker.mjs', import.meta.url).pathname;
let left = urls.length;
const done = Promise.withResolvers();
const workers = [0, 1].map((n) => {
  const child = spawn(process.execPath, [worker, String(port), `${output}.${n}`, String(Number(atOnce) / 2)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (count) => {
    left -= count;
    if (left === 0) done.resolve();
  });
  return child;
});
const connection = new Redis({ port, maxRetriesPerRequest: null });
const queue = new Queue('calls', { connection });
for (let at = 0; at < urls.length; at += 1_000) {
  await queue.addBulk(
    urls.slice(at, at + 1_000).map((url, n) => ({
      name: 'call',
      data: { url, index: at + n },
      opts: { attempts: 3, backoff: { type: 'exponential', delay: 200 }, removeOnComplete: true },
    })),
  );
}
await done.promise;
for (const child of workers) child.send('end');
await Promise.all(workers.map((child) => once(child, 'exit')));
await queue.close();
connection.disconnect();
redis.kill();
await once(redis, 'exit');
await rm(folder, { recursive: true, force: true });

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
