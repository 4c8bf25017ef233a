import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type HandMadeStack, mapping } from '../../support/embedded-stack.ts';
import { redrive, useEmbeddedStack } from '../../support/use-embedded-stack.ts';

const { close, depth, nextCall, output, receive, send, sqs, start, stateDir, steered } = useEmbeddedStack();

describe('an event source mapping', () => {
  it("invokes the function with AWS's records and deletes the message when it succeeds", async () => {
    await start({
      functions: { Worker: steered() },
      queues: { Work: { VisibilityTimeout: 60 } },
      mappings: { Map: mapping('Work', 'Worker') },
    });
    await sqs().send(
      new SendMessageCommand({
        QueueUrl: output('Work'),
        MessageBody: 'hello',
        MessageGroupId: 'job-1',
        MessageAttributes: { color: { DataType: 'String', StringValue: 'red' } },
      }),
    );
    const { event, settle } = await nextCall();
    expect(event).toEqual({
      Records: [
        {
          messageId: expect.any(String),
          receiptHandle: expect.any(String),
          body: 'hello',
          md5OfBody: '5d41402abc4b2a76b9719d911017c592',
          md5OfMessageAttributes: '20ca9041878c8c65d5a4bf6eaf446c21',
          attributes: expect.objectContaining({
            ApproximateReceiveCount: '1',
            MessageGroupId: 'job-1',
            SentTimestamp: expect.any(String),
          }),
          messageAttributes: { color: expect.objectContaining({ stringValue: 'red', dataType: 'String' }) },
          eventSource: 'aws:sqs',
          eventSourceARN: expect.stringMatching(/^arn:aws:sqs:us-east-1:000000000000:HandMade-Work-/),
          awsRegion: 'us-east-1',
        },
      ],
    });
    expect(await depth('Work')).toEqual([0, 1]);
    settle({ answer: null });
    // The next message is delivered after the first one is settled, by the same environment.
    await send('Work', ['second']);
    (await nextCall()).settle({ answer: null });
    await close();
  });

  it('runs as many batches at once as MaximumConcurrency says, and the next one when one ends', async () => {
    await start({
      functions: { Worker: steered() },
      queues: { Work: { VisibilityTimeout: 60 } },
      mappings: { Map: mapping('Work', 'Worker', { ScalingConfig: { MaximumConcurrency: 2 } }) },
    });
    await send('Work', ['a', 'b', 'c']);
    const first = await nextCall();
    const second = await nextCall();
    expect(first.pid).not.toBe(second.pid);
    expect(await depth('Work')).toEqual([1, 2]);
    first.settle({ answer: null });
    const third = await nextCall();
    expect(third.pid).toBe(first.pid);
    expect(await depth('Work')).toEqual([0, 2]);
    second.settle({ answer: null });
    third.settle({ answer: null });
  });

  it('gathers a batch until it is full, over several receives where a window is open', async () => {
    await start({
      functions: { Worker: steered() },
      queues: { Work: { VisibilityTimeout: 60 } },
      mappings: { Map: mapping('Work', 'Worker', { BatchSize: 12, MaximumBatchingWindowInSeconds: 300 }) },
    });
    await send(
      'Work',
      Array.from({ length: 10 }, (_, index) => `first-${index}`),
    );
    await send('Work', ['second-0', 'second-1']);
    const { event, settle } = await nextCall();
    expect(event.Records).toHaveLength(12);
    settle({ answer: null });
  });

  it('keeps only the messages that the function reports as failed, until their visibility ends', async () => {
    await start({
      functions: { Worker: steered({ Timeout: 3 }) },
      queues: { Work: { VisibilityTimeout: 3 } },
      mappings: {
        Map: mapping('Work', 'Worker', {
          BatchSize: 10,
          MaximumBatchingWindowInSeconds: 0,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
        }),
      },
    });
    await send('Work', ['a', 'b', 'c']);
    const { event, settle } = await nextCall();
    const failed = event.Records.find(({ body }) => body === 'b');
    expect(event.Records).toHaveLength(3);
    settle({ answer: { batchItemFailures: [{ itemIdentifier: failed?.messageId }] } });
    const again = await nextCall();
    expect(again.event.Records.map(({ body, attributes }) => [body, attributes['ApproximateReceiveCount']])).toEqual([
      ['b', '2'],
    ]);
    again.settle({ answer: { batchItemFailures: [] } });
  });

  it('gives the messages of a process that died to the next one soon, long before their visibility is over', async () => {
    await start({
      functions: { Worker: steered() },
      queues: { Work: { VisibilityTimeout: 600 } },
      mappings: { Map: mapping('Work', 'Worker') },
    });
    await send('Work', ['x']);
    const first = await nextCall();
    first.settle({ exit: 1 });
    const second = await nextCall();
    expect(second.pid).not.toBe(first.pid);
    expect(second.event.Records[0]?.attributes['ApproximateReceiveCount']).toBe('2');
    second.settle({ answer: null });
  });

  it.each([
    ['throws', { throws: 'not now' }],
    ['crashes', { exit: 1 }],
  ])('leaves the messages to the dead-letter queue when the function %s at each delivery', async (_name, how) => {
    await start({
      functions: { Worker: steered({ Timeout: 1 }) },
      queues: { Work: { VisibilityTimeout: 1, RedrivePolicy: redrive(2) }, Dead: {} },
      mappings: { Map: mapping('Work', 'Worker') },
    });
    await send('Work', ['poison']);
    (await nextCall()).settle(how);
    const second = await nextCall();
    expect(second.event.Records[0]?.attributes['ApproximateReceiveCount']).toBe('2');
    second.settle(how);
    const bodies = await receive('Dead');
    expect(bodies).toEqual(['poison']);
  });

  it('delivers the messages of an invocation that timed out again', async () => {
    await start({
      functions: { Worker: steered({ Timeout: 1 }) },
      queues: { Work: { VisibilityTimeout: 1 } },
      mappings: { Map: mapping('Work', 'Worker') },
    });
    await send('Work', ['slow']);
    const first = await nextCall();
    const second = await nextCall();
    expect(second.event.Records[0]?.body).toBe('slow');
    expect(second.pid).not.toBe(first.pid);
    second.settle({ answer: null });
  });

  it('does nothing when it is not enabled', async () => {
    await start({
      functions: { Worker: steered() },
      queues: { Work: { VisibilityTimeout: 60 } },
      mappings: { Map: mapping('Work', 'Worker', { Enabled: false }) },
    });
    await send('Work', ['a']);
    const bodies = await receive('Work');
    expect(bodies).toEqual(['a']);
  });

  it.each([
    [
      'a queue whose visibility is shorter than the timeout',
      { Work: { VisibilityTimeout: 5 } },
      'to be at least the timeout',
    ],
    [
      'a queue that the role may not read',
      { Work: { VisibilityTimeout: 60 }, Other: {} },
      'to allow sqs:ReceiveMessage',
    ],
  ])('is refused for %s', async (_name, queues, problem) => {
    const readable = 'Other' in queues ? ['Other'] : undefined;
    const stack = {
      functions: { Worker: steered() },
      queues,
      mappings: { Map: mapping('Work', 'Worker') },
      ...(readable && { readable }),
    };
    await expect(start(stack)).rejects.toThrow(problem);
  });
});

describe('recursion', () => {
  /** Sends its message to its own queue again, and counts. */
  const looping = (properties: Readonly<Record<string, unknown>>): HandMadeStack => ({
    functions: {
      Worker: {
        code: `
          import { createRequire } from 'node:module';
          const require = createRequire(${JSON.stringify(import.meta.url)});
          const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
          const sqs = new SQSClient({});
          export const handler = async ({ Records: [record] }) => {
            const turn = Number(record.body);
            await sqs.send(new SendMessageCommand({ QueueUrl: turn < 20 ? process.env.WORK : process.env.DONE, MessageBody: String(turn + 1) }));
          };
        `,
        properties: {
          MemorySize: 512,
          Timeout: 20,
          Environment: { Variables: { WORK: { Ref: 'Work' }, DONE: { Ref: 'Done' } } },
          ...properties,
        },
        statements: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' }],
      },
    },
    queues: { Work: { VisibilityTimeout: 60, RedrivePolicy: redrive(5) }, Dead: {}, Done: {} },
    mappings: { Map: mapping('Work', 'Worker') },
  });

  it('is stopped after 16 invocations: the message goes to the dead-letter queue and the log says why', async () => {
    await start(looping({}));
    await send('Work', ['1']);
    const bodies = await receive('Dead');
    expect(bodies).toEqual(['17']);
    const name = output('Worker');
    await close();
    expect(await readFile(path.join(stateDir(), 'logs', `${name}.log`), 'utf8')).toContain(
      'RecursiveInvocationException',
    );
  });

  it('goes on where the function allows it', async () => {
    await start(looping({ RecursiveLoop: 'Allow' }));
    await send('Work', ['1']);
    const bodies = await receive('Done');
    expect(bodies).toEqual(['21']);
  });
});
