import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqsQueue, sqsClient } from '../../src/aws/work-queue.ts';
import { bellFor, encodeMessage } from '../../src/format/message.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { type EndpointFixture, openFixture } from '../cloud/host/endpoint-fixture.ts';

let cloud: EndpointFixture;
beforeAll(async () => {
  cloud = await openFixture();
});
afterAll(() => cloud.close());

let queues = 0;
async function newQueue(): Promise<SqsQueue> {
  return new SqsQueue(cloud.sqs, (await cloud.endpoint.createQueue(`queue-${++queues}`)).url);
}

const receive = (queue: SqsQueue, max = 10) => queue.receive({ max, waitSeconds: 0, visibilitySeconds: 60 });

describe('SqsQueue', () => {
  it('sends any number of bodies, by tens', async () => {
    const queue = await newQueue();
    const bodies = Array.from({ length: 25 }, (_, n) => `body ${n}`);
    await queue.send(bodies, { group: 'job' });
    expect(await queue.depth()).toBe(25);
    const received: string[] = [];
    while (received.length < 25) received.push(...(await receive(queue)).map(({ body }) => body));
    expect(received.sort()).toEqual(bodies.sort());
  });

  it('sends nothing for no bodies', async () => {
    const queue = await newQueue();
    await queue.send([], { group: 'job' });
    expect(await queue.depth()).toBe(0);
  });

  it('sends large bodies in batches that SQS takes', async () => {
    const queue = await newQueue();
    await queue.send(new Array(10).fill('x'.repeat(250_000)), { group: 'job' });
    expect(await queue.depth()).toBe(10);
  });

  it('counts visible, delayed, and received messages in its depth', async () => {
    const queue = await newQueue();
    await queue.send(['now', 'now'], { group: 'job' });
    await queue.send(['later'], { group: 'job', delaySeconds: 900 });
    expect(await receive(queue, 1)).toHaveLength(1);
    expect(await queue.depth()).toBe(3);
  });

  it('receives a message again with a higher count when it is let go, and not after it is deleted', async () => {
    const queue = await newQueue();
    await queue.send(['m'], { group: 'job' });
    const [first] = await receive(queue);
    expect(first).toMatchObject({ body: 'm', receiveCount: 1 });
    expect(await receive(queue)).toEqual([]);
    await queue.changeVisibility(first?.receiptHandle ?? '', 0);
    const [second] = await receive(queue);
    expect(second).toMatchObject({ messageId: first?.messageId, receiveCount: 2 });
    await queue.delete(second?.receiptHandle ?? '');
    expect(await queue.depth()).toBe(0);
  });

  it('marks the work that it sends again when the answer to a send was lost, since there may be two of it', async () => {
    const sent: string[] = [];
    const server = createServer(async (request, response) => {
      // The request is the SDK's own.
      const { Entries } = JSON.parse(await text(request)) as {
        Entries: ReadonlyArray<{ Id: string; MessageBody: string }>;
      };
      sent.push(...Entries.map(({ MessageBody }) => MessageBody));
      if (sent.length <= Entries.length) return request.socket.destroy();
      const Successful = Entries.map(({ Id, MessageBody }) => ({
        Id,
        MessageId: Id,
        MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
      }));
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      return response.end(JSON.stringify({ Successful, Failed: [] }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = sqsClient({ ...cloud.settings, endpoint });
    const bounds = { first: 0, count: 2, start: 0, end: 10 };
    const work = workMessage({ id: 'job', pass: 0 }, { part: 0, chunk: 0, bounds });
    const bell = encodeMessage(bellFor({ id: 'job', pass: 0 }, 0));
    try {
      await new SqsQueue(client, `${endpoint}/000000000000/q`).send([encodeMessage(work), bell], { group: 'job' });
    } finally {
      client.destroy();
      server.close();
    }
    expect(sent).toEqual([encodeMessage(work), bell, encodeMessage({ ...work, again: true }), bell]);
  });

  describe('when SQS refuses some entries of a batch', () => {
    interface Entry {
      readonly Id: string;
      readonly MessageBody: string;
    }
    let server: Server;
    const taken: string[] = [];
    const batches: string[][] = [];
    /** Whether an entry is refused, at which try of its batch, and by whose fault. */
    let refuse: (body: string, batch: number) => 'no' | 'sender' | 'receiver';

    beforeAll(async () => {
      server = createServer(async (request, response) => {
        // The request is the SDK's own.
        const { Entries: entries } = JSON.parse(await text(request)) as { Entries: readonly Entry[] };
        const Successful: object[] = [];
        const Failed: object[] = [];
        for (const { Id, MessageBody } of entries) {
          const fault = refuse(MessageBody, batches.length);
          if (fault === 'no') {
            taken.push(MessageBody);
            const md5 = createHash('md5').update(MessageBody).digest('hex');
            Successful.push({ Id, MessageId: Id, MD5OfMessageBody: md5 });
          } else Failed.push({ Id, SenderFault: fault === 'sender', Code: 'Refused', Message: 'not now' });
        }
        batches.push(entries.map((entry) => entry.MessageBody));
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify({ Successful, Failed }));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterAll(() => server.close());

    const send = async (bodies: readonly string[]): Promise<void> => {
      taken.length = 0;
      batches.length = 0;
      // A server that listens on a port of TCP has such an address.
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const client = sqsClient({ ...cloud.settings, endpoint });
      try {
        await new SqsQueue(client, `${endpoint}/000000000000/q`).send(bodies, { group: 'job' });
      } finally {
        client.destroy();
      }
    };

    it('sends those again, and only those', async () => {
      refuse = (body, batch) => (batch === 0 && body !== 'b' ? 'receiver' : 'no');
      await send(['a', 'b', 'c']);
      expect(batches).toEqual([
        ['a', 'b', 'c'],
        ['a', 'c'],
      ]);
      expect(taken).toEqual(['b', 'a', 'c']);
    });

    it('rejects when they are refused again and again', async () => {
      refuse = (body) => (body === 'b' ? 'receiver' : 'no');
      await expect(send(['a', 'b'])).rejects.toThrow(/refusal of 1: Refused: not now/);
      expect(batches).toHaveLength(4);
    });

    it('rejects at once when the message itself is at fault', async () => {
      refuse = () => 'sender';
      await expect(send(['a'])).rejects.toThrow(/Refused/);
      expect(batches).toHaveLength(1);
    });
  });
});
