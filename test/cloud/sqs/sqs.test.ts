import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { allows } from '../../../src/cloud/host/policy.ts';
import { openSqsQueues } from '../../../src/cloud/sqs/queues.ts';
import { answerSqs } from '../../../src/cloud/sqs/server.ts';
import { systemClock } from '../../../src/runtime/system.ts';
import { type EndpointFixture, failureOf, openFixture, sendRaw } from '../host/endpoint-fixture.ts';

const statements = [
  { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:us-east-1:000000000000:granted' },
];

let cloud: EndpointFixture;
beforeAll(async () => {
  cloud = await openFixture({
    authorize: ({ accessKeyId, action, resource }) => accessKeyId === 'PERSON' || allows(statements, action, resource),
  });
});
afterAll(() => cloud.close());
afterEach(() => {
  vi.useRealTimers();
});

/** Only the date is faked: visibility and delays are instants, and whoever asks after them sees them passed. */
const passTime = (ms: number): void => {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: now + ms });
};

let made = 0;
const makeQueue = async (attributes: Record<string, string> = {}): Promise<string> => {
  made += 1;
  return (await cloud.endpoint.createQueue(`queue-${made}`, attributes)).url;
};
const send = (QueueUrl: string, MessageBody: string, more: Partial<SendMessageCommandInput> = {}) =>
  cloud.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}) => {
  const { Messages } = await cloud.sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more }),
  );
  return Messages ?? [];
};
const bodies = async (queueUrl: string): Promise<Array<string | undefined>> =>
  (await receive(queueUrl)).map(({ Body }) => Body);
const counts = async (QueueUrl: string) => {
  const { Attributes } = await cloud.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return [
    Attributes?.['ApproximateNumberOfMessages'],
    Attributes?.['ApproximateNumberOfMessagesNotVisible'],
    Attributes?.['ApproximateNumberOfMessagesDelayed'],
  ].map(Number);
};

describe('a queue', () => {
  it('is found by name under a URL of this endpoint', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    const name = url.split('/').at(-1) ?? '';
    expect(url).toBe(`${cloud.endpoint.url}/000000000000/${name}`);
    expect((await cloud.sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl).toBe(url);
    expect((await cloud.sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl).toBe(url);
    expect((await cloud.sqs.send(new ListQueuesCommand({}))).QueueUrls).toContain(url);
    const { Attributes } = await cloud.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout', 'QueueArn'] }),
    );
    expect(Attributes).toEqual({ VisibilityTimeout: '60', QueueArn: `arn:aws:sqs:us-east-1:000000000000:${name}` });
  });

  it('that does not exist is QueueDoesNotExist', async () => {
    expect(await failureOf(send(`${cloud.endpoint.url}/000000000000/absent`, 'x'))).toEqual({
      name: 'QueueDoesNotExist',
      status: 400,
    });
  });

  it('refuses attributes out of range', async () => {
    await expect(cloud.endpoint.createQueue('bad', { VisibilityTimeout: '50000' })).rejects.toThrow(
      'InvalidAttributeValue',
    );
  });
});

describe('a message', () => {
  it('comes with its system attributes: count, times, group, and the trace header of its own or of the request', async () => {
    const url = await makeQueue();
    const trace = { DataType: 'String', StringValue: 'Root=1-aa;Lineage=x:1' } as const;
    await send(url, 'own', { MessageGroupId: 'job', MessageSystemAttributes: { AWSTraceHeader: trace } });
    const [own] = await receive(url);
    expect(own?.Attributes).toMatchObject({
      ApproximateReceiveCount: '1',
      MessageGroupId: 'job',
      AWSTraceHeader: trace.StringValue,
    });
    expect(Number(own?.Attributes?.['SentTimestamp'])).toBeLessThanOrEqual(
      Number(own?.Attributes?.['ApproximateFirstReceiveTimestamp']),
    );

    const headers = {
      'x-amz-target': 'AmazonSQS.SendMessageBatch',
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-trace-id': 'Root=1-bb',
      authorization: 'AWS4-HMAC-SHA256 Credential=PERSON/20260101/us-east-1/sqs/aws4_request',
    };
    const entries = [{ Id: 'a', MessageBody: 'batch', MessageGroupId: 'other' }];
    await sendRaw(
      cloud.endpoint.url,
      { method: 'POST', path: '/', headers },
      JSON.stringify({ QueueUrl: url, Entries: entries }),
    );
    const [batched] = await receive(url);
    expect(batched).toMatchObject({
      Body: 'batch',
      Attributes: { AWSTraceHeader: 'Root=1-bb', MessageGroupId: 'other' },
    });
  });

  it('comes with the attributes that were asked for only', async () => {
    const url = await makeQueue();
    await send(url, 'x', { MessageGroupId: 'job', MessageAttributes: { a: { DataType: 'Number', StringValue: '1' } } });
    const [bare] = await receive(url, { MessageSystemAttributeNames: undefined, VisibilityTimeout: 0 });
    expect(bare?.Attributes).toBeUndefined();
    const [asked] = await receive(url, {
      MessageSystemAttributeNames: ['MessageGroupId'],
      MessageAttributeNames: ['All'],
    });
    expect(asked?.Attributes).toEqual({ MessageGroupId: 'job' });
    expect(asked?.MessageAttributes).toEqual({ a: { DataType: 'Number', StringValue: '1' } });
  });

  it.each(['\ud83d\ude00 beyond U+FFFF', '\u2028', '\ufffd', '\t\r\n', '"{}\\'])(
    'with the body %j passes unchanged',
    async (body) => {
      const url = await makeQueue();
      await send(url, body);
      expect(await bodies(url)).toEqual([body]);
    },
  );

  it.each([
    ['U+FFFE', '\ufffe', 'InvalidMessageContents'],
    ['a control character', '\u0001', 'InvalidMessageContents'],
    ['a lone surrogate', '\ud800', 'InvalidMessageContents'],
    ['1 MiB and a byte', `${'é'.repeat(524_288)}x`, 'InvalidParameterValue'],
  ])('with %s is refused', async (_, body, name) => {
    const url = await makeQueue();
    const sent = await sendRaw(
      cloud.endpoint.url,
      {
        method: 'POST',
        path: '/',
        headers: {
          'x-amz-target': 'AmazonSQS.SendMessage',
          'content-type': 'application/x-amz-json-1.0',
          authorization: 'Credential=PERSON/x',
        },
      },
      JSON.stringify({ QueueUrl: url, MessageBody: body }),
    );
    expect(sent.status).toBe(400);
    expect(sent.body).toContain(`com.amazonaws.sqs#${name}`);
    expect(await counts(url)).toEqual([0, 0, 0]);
  });

  it('of 1 MiB, counted in bytes with emoji, is taken', async () => {
    const url = await makeQueue();
    await send(url, '\ud83d\ude00'.repeat(262_144));
    expect((await failureOf(send(url, `${'\ud83d\ude00'.repeat(262_144)}x`))).status).toBe(400);
    expect(await counts(url)).toEqual([1, 0, 0]);
  });

  it('delayed by more than 900 s is refused, alone and within a batch', async () => {
    const url = await makeQueue();
    expect((await failureOf(send(url, 'x', { DelaySeconds: 901 }))).status).toBe(400);
    const Entries = [901, 900, 0].map((DelaySeconds) => ({ Id: `d${DelaySeconds}`, MessageBody: 'x', DelaySeconds }));
    const { Successful, Failed } = await cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(Successful?.map(({ Id }) => Id)).toEqual(['d900', 'd0']);
    expect(Failed).toMatchObject([{ Id: 'd901', Code: 'InvalidParameterValue', SenderFault: true }]);
    expect(await counts(url)).toEqual([1, 0, 1]);
  });

  it('that is delayed becomes visible when its delay is over', async () => {
    const url = await makeQueue({ DelaySeconds: '30' });
    await send(url, 'queue default');
    await send(url, 'own', { DelaySeconds: 60 });
    expect(await bodies(url)).toEqual([]);
    passTime(30_000);
    expect(await bodies(url)).toEqual(['queue default']);
    passTime(30_000);
    expect(await bodies(url)).toContain('own');
  });
});

describe('a batch', () => {
  const entry = (Id: string, MessageBody = 'x') => ({ Id, MessageBody });

  it('fails entry by entry inside a success', async () => {
    const url = await makeQueue();
    const { Successful, Failed } = await cloud.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: [entry('good'), entry('bad', '\ufffe'), entry('emoji', '\ud83d\ude00')],
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['good', 'emoji']);
    expect(Failed).toMatchObject([{ Id: 'bad', Code: 'InvalidMessageContents' }]);
  });

  it.each([
    ['no entries', [], 'EmptyBatchRequest'],
    ['eleven entries', Array.from({ length: 11 }, (_, index) => entry(String(index))), 'TooManyEntriesInBatchRequest'],
    ['two of one id', [entry('a'), entry('a')], 'BatchEntryIdsNotDistinct'],
    ['a bad id', [entry('a b')], 'InvalidBatchEntryId'],
    [
      'more than 1 MiB together',
      [entry('a', 'x'.repeat(600_000)), entry('b', 'x'.repeat(600_000))],
      'BatchRequestTooLong',
    ],
  ])('with %s is refused whole', async (_, Entries, name) => {
    const url = await makeQueue();
    expect(await failureOf(cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })))).toEqual({
      name,
      status: 400,
    });
    expect(await counts(url)).toEqual([0, 0, 0]);
  });

  it('with an empty body is refused whole', async () => {
    const url = await makeQueue();
    expect(
      (await failureOf(cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [entry('a', '')] }))))
        .status,
    ).toBe(400);
  });
});

describe('visibility', () => {
  it('hides a message until its timeout, then gives it again with a higher count', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    await send(url, 'x');
    const [first] = await receive(url);
    expect(await bodies(url)).toEqual([]);
    expect(await counts(url)).toEqual([0, 1, 0]);
    passTime(60_000);
    const [second] = await receive(url);
    expect(second).toMatchObject({ MessageId: first?.MessageId, Attributes: { ApproximateReceiveCount: '2' } });
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
  });

  it('is prolonged, and ended by zero', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    await send(url, 'x');
    const [{ ReceiptHandle } = {}] = await receive(url);
    await cloud.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 600 }));
    passTime(60_000);
    expect(await bodies(url)).toEqual([]);
    await cloud.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }));
    expect(await bodies(url)).toEqual(['x']);
  });

  it('cannot be prolonged once it has run out', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    await send(url, 'x');
    const [{ ReceiptHandle } = {}] = await receive(url);
    passTime(60_000);
    const change = { ReceiptHandle, VisibilityTimeout: 60 };
    expect(await failureOf(cloud.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ...change })))).toEqual({
      name: 'MessageNotInflight',
      status: 400,
    });
    const { Successful, Failed } = await cloud.sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: [{ Id: 'a', ...change }] }),
    );
    expect(Successful ?? []).toEqual([]);
    expect(Failed).toMatchObject([{ Id: 'a', Code: 'MessageNotInflight' }]);
    expect(await bodies(url)).toEqual(['x']);
  });
});

describe('a deletion', () => {
  it('removes a message for good, alone and in a batch', async () => {
    const url = await makeQueue();
    for (const body of ['1', '2', '3']) await send(url, body);
    const [first, ...others] = await receive(url);
    await cloud.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
    const Entries = others.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const { Successful } = await cloud.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(Successful).toHaveLength(2);
    passTime(60_000);
    expect(await bodies(url)).toEqual([]);
    expect(await counts(url)).toEqual([0, 0, 0]);
  });

  it('after the visibility ran out still holds, as on AWS', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    await send(url, 'late');
    await send(url, 'next');
    const [{ ReceiptHandle } = {}] = await receive(url, { MaxNumberOfMessages: 1 });
    passTime(60_000);
    await cloud.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    expect((await counts(url)).reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await bodies(url)).toEqual(['next']);
    expect((await counts(url)).reduce((sum, count) => sum + count, 0)).toBe(1);
  });

  it('by the handle of an earlier delivery does nothing', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    await send(url, 'x');
    const [{ ReceiptHandle } = {}] = await receive(url);
    passTime(60_000);
    expect(await bodies(url)).toEqual(['x']);
    await cloud.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    passTime(60_000);
    expect(await bodies(url)).toEqual(['x']);
  });

  it('of all is a purge', async () => {
    const url = await makeQueue();
    await send(url, 'x');
    await cloud.sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    expect(await bodies(url)).toEqual([]);
  });
});

describe('a redrive policy', () => {
  it('moves a message to the dead-letter queue after its last delivery, with its notes, and wakes who waits there', async () => {
    const dead = await makeQueue();
    const deadArn = `arn:aws:sqs:us-east-1:000000000000:${dead.split('/').at(-1)}`;
    const url = await makeQueue({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 2 }),
    });
    await send(url, 'poison \ud83d\ude00', {
      MessageGroupId: 'job',
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    });
    const waiting = receive(dead, { WaitTimeSeconds: 20 });
    expect(await receive(url, { VisibilityTimeout: 0 })).toHaveLength(1);
    expect(await receive(url, { VisibilityTimeout: 0 })).toHaveLength(1);
    expect(await receive(url)).toEqual([]);
    expect(await waiting).toMatchObject([
      { Body: 'poison \ud83d\ude00', Attributes: { MessageGroupId: 'job', AWSTraceHeader: 'Root=1' } },
    ]);
  });
});

describe('a long poll', () => {
  it('ends with the first message', async () => {
    const url = await makeQueue();
    const waiting = receive(url, { WaitTimeSeconds: 20 });
    await send(url, 'x');
    expect((await waiting).map(({ Body }) => Body)).toEqual(['x']);
  });

  it('gives each message to one of those who wait', async () => {
    const url = await makeQueue();
    const waiting = Promise.all(
      Array.from({ length: 5 }, () => receive(url, { WaitTimeSeconds: 20, MaxNumberOfMessages: 1 })),
    );
    for (const body of ['1', '2', '3', '4', '5']) await send(url, body);
    expect(
      (await waiting)
        .flat()
        .map(({ Body }) => Body)
        .sort(),
    ).toEqual(['1', '2', '3', '4', '5']);
  });

  it('of a client that has gone takes no message', async () => {
    const queues = openSqsQueues(() => 'http://127.0.0.1', systemClock);
    await queues.call('CreateQueue', { QueueName: 'left' }, { signal: new AbortController().signal });
    const arrived = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      response.once('close', closed.resolve);
      void answerSqs(request, response, { queues, authorize: () => true });
      arrived.resolve();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port of TCP has such an address.
    const client = new SQSClient({
      ...cloud.settings,
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      useQueueUrlAsEndpoint: false,
    });
    const leaving = new AbortController();
    const polling = client.send(new ReceiveMessageCommand({ QueueUrl: '/left', WaitTimeSeconds: 20 }), {
      abortSignal: leaving.signal,
    });
    const ended = failureOf(polling);
    await arrived.promise;
    leaving.abort();
    expect(await ended).toMatchObject({ name: 'AbortError' });
    await closed.promise;
    const { signal } = new AbortController();
    await queues.call('SendMessage', { QueueUrl: '/left', MessageBody: 'x' }, { signal });
    const received = await queues.call('ReceiveMessage', { QueueUrl: '/left' }, { signal });
    expect(received.body['Messages']).toMatchObject([{ Body: 'x' }]);
    client.destroy();
    server.close();
    await queues.close();
  });

  it('refuses to wait longer than 20 s', async () => {
    expect((await failureOf(receive(await makeQueue(), { WaitTimeSeconds: 21 }))).status).toBe(400);
  });
});

describe('in process', () => {
  it('receives, waits, and deletes', async () => {
    const url = await makeQueue({ VisibilityTimeout: '60' });
    expect(await cloud.endpoint.receive(url, { max: 10 })).toEqual([]);
    const ready = cloud.endpoint.whenReady(url, new AbortController().signal);
    await send(url, 'x', { MessageGroupId: 'job', MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } });
    await ready;
    const records = await cloud.endpoint.receive(url, { max: 10, visibilitySeconds: 5 });
    expect(records).toMatchObject([
      {
        body: 'x',
        attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'job' },
        messageAttributes: { a: { dataType: 'String', stringValue: 'b' } },
      },
    ]);
    await cloud.endpoint.deleteMessages(
      url,
      records.map(({ receiptHandle }) => receiptHandle),
    );
    expect(await counts(url)).toEqual([0, 0, 0]);
  });

  it('waits until a delay or a visibility is over, or its signal aborts', async () => {
    const url = await makeQueue({ VisibilityTimeout: '1' });
    await send(url, 'x', { DelaySeconds: 1 });
    expect(await cloud.endpoint.receive(url, { max: 10 })).toEqual([]);
    for (const count of ['1', '2']) {
      await cloud.endpoint.whenReady(url, new AbortController().signal);
      const [record] = await cloud.endpoint.receive(url, { max: 10 });
      expect(record?.attributes['ApproximateReceiveCount']).toBe(count);
      expect(await cloud.endpoint.receive(url, { max: 10 })).toEqual([]);
    }
    const reason = new Error('enough');
    const leaving = new AbortController();
    const waiting = cloud.endpoint.whenReady(url, leaving.signal);
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('a receiver that has died', () => {
  it('gives back what it had in hand, and not what others have or what it deleted', async () => {
    const url = await makeQueue({ VisibilityTimeout: '600' });
    for (const body of ['held', 'deleted']) await send(url, body);
    const [held, deleted] = await receive(url);
    await cloud.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: deleted?.ReceiptHandle }));
    cloud.endpoint.releaseHeld('SOMEBODY', 0);
    expect(await bodies(url)).toEqual([]);
    cloud.endpoint.releaseHeld('PERSON', 0);
    expect(await receive(url)).toMatchObject([
      { MessageId: held?.MessageId, Attributes: { ApproximateReceiveCount: '2' } },
    ]);
    // Its new holder is another delivery, which the one before does not give back.
    expect(await bodies(url)).toEqual([]);
  });
});

describe('access', () => {
  it('is checked for each call, and batches by their single action', async () => {
    const granted = (await cloud.endpoint.createQueue('granted')).url;
    const refused = await makeQueue();
    const client = new SQSClient({ ...cloud.settings, credentials: { accessKeyId: 'FUNCTION', secretAccessKey: 'x' } });
    await client.send(new SendMessageCommand({ QueueUrl: granted, MessageBody: 'x' }));
    await client.send(new SendMessageBatchCommand({ QueueUrl: granted, Entries: [{ Id: 'a', MessageBody: 'x' }] }));
    const denied = { name: 'AccessDenied', status: 403 };
    expect(await failureOf(client.send(new SendMessageCommand({ QueueUrl: refused, MessageBody: 'x' })))).toEqual(
      denied,
    );
    expect(await failureOf(client.send(new ReceiveMessageCommand({ QueueUrl: granted })))).toEqual(denied);
    expect(
      await failureOf(
        client.send(new DeleteMessageBatchCommand({ QueueUrl: granted, Entries: [{ Id: 'a', ReceiptHandle: 'x' }] })),
      ),
    ).toEqual(denied);
    client.destroy();
  });
});
