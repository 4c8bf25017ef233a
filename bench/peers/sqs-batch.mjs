// What Powertools' BatchProcessor does: each delivery is a batch of ten messages, awaited together; what succeeded is deleted.
// Two processes, each with a tenth of its calls as batches. The queue is the embedded cloud's own.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Agent, request } from 'undici';

const [input, output, atOnce, server, queueUrl] = process.argv.slice(2);
const clientOf = (endpoint) =>
  new SQSClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } });

if (queueUrl === undefined) await produce();
else await consume();

async function produce() {
  const urls = (await readFile(input, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sqs = spawn(process.execPath, [server], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(sqs.stdout, 'data');
  const client = clientOf(`http://127.0.0.1:${String(port).trim()}`);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'calls' }));
  let left = urls.length;
  const done = Promise.withResolvers();
  const workers = [0, 1].map((n) => {
    const worker = fork(process.argv[1], [input, `${output}.${n}`, String(Number(atOnce) / 2), server, QueueUrl]);
    worker.on('message', (count) => {
      left -= count;
      if (left === 0) done.resolve();
    });
    return worker;
  });
  for (let at = 0; at < urls.length; at += 10) {
    const Entries = urls
      .slice(at, at + 10)
      .map((url, n) => ({ Id: String(n), MessageBody: JSON.stringify({ url, index: at + n }) }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
  await done.promise;
  for (const worker of workers) worker.send('end');
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  sqs.kill();
  await once(sqs, 'exit');
}

async function consume() {
  const client = clientOf(new URL(queueUrl).origin);
  const out = createWriteStream(output);
  const dispatcher = new Agent({ connections: Number(atOnce) });
  let ended = false;
  process.on('disconnect', () => process.exit(1));
  process.on('message', () => {
    ended = true;
    out.end(() => process.exit());
  });
  const handle = async ({ Body }) => {
    const { url, index } = JSON.parse(Body);
    const { statusCode, body } = await request(url, { dispatcher });
    out.write(`${JSON.stringify({ index, status: statusCode, value: await body.json() })}\n`);
  };
  const lane = async () => {
    while (!ended) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      if (Messages.length === 0) continue;
      await Promise.all(Messages.map(handle));
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      process.send(Messages.length);
    }
  };
  await Promise.all(Array.from({ length: Math.ceil(Number(atOnce) / 10) }, lane));
}
