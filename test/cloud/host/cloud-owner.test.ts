import { InvokeCommand } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { useEmbeddedStack } from '../../support/use-embedded-stack.ts';

const { lambda, nextCall, output, start, steered } = useEmbeddedStack();

describe('the Invoke API', () => {
  it('answers the value, the end of the log, and errors as Lambda does', async () => {
    await start({ functions: { Hello: steered() } });
    const FunctionName = output('Hello');
    const answering = lambda().send(new InvokeCommand({ FunctionName, Payload: '{}', LogType: 'Tail' }));
    (await nextCall()).settle({ answer: { ok: true } });
    const answer = await answering;
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.FunctionError).toBeUndefined();
    expect(answer.Payload?.transformToString()).toBe('{"ok":true}');
    expect(Buffer.from(answer.LogResult ?? '', 'base64').toString()).toMatch(/^START[\s\S]*REPORT/);

    const failing = lambda().send(new InvokeCommand({ FunctionName, Payload: '{}' }));
    (await nextCall()).settle({ throws: 'boom' });
    const failure = await failing;
    expect(failure).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(failure.Payload?.transformToString() ?? '')).toMatchObject({
      errorType: 'Error',
      errorMessage: 'boom',
      trace: expect.any(Array),
    });
  });

  it('takes an event at once and tries it three times when it fails', async () => {
    await start({ functions: { Hello: steered() } }, [1, 1]);
    const answer = await lambda().send(
      new InvokeCommand({ FunctionName: output('Hello'), InvocationType: 'Event', Payload: '{"n":1}' }),
    );
    expect(answer.StatusCode).toBe(202);
    for (const how of [{ throws: 'one' }, { exit: 1 }, { answer: null }]) {
      const call = await nextCall();
      expect(call.event).toEqual({ n: 1 });
      call.settle(how);
    }
  });

  it.each([
    ['a function that is not there', { FunctionName: 'nobody', Payload: '{}' }, 'ResourceNotFoundException'],
    ['a payload that is no JSON', { FunctionName: '', Payload: '{' }, 'InvalidRequestContentException'],
  ])('refuses %s', async (_name, input, name) => {
    await start({ functions: { Hello: steered() } });
    const FunctionName = input.FunctionName || output('Hello');
    await expect(lambda().send(new InvokeCommand({ ...input, FunctionName }))).rejects.toMatchObject({ name });
  });

  it('throttles a function at its reserved concurrency', async () => {
    await start({ functions: { Hello: steered({ ReservedConcurrentExecutions: 1 }) } });
    const FunctionName = output('Hello');
    const first = lambda().send(new InvokeCommand({ FunctionName, Payload: '{}' }));
    const call = await nextCall();
    await expect(lambda().send(new InvokeCommand({ FunctionName, Payload: '{}' }))).rejects.toMatchObject({
      name: 'TooManyRequestsException',
    });
    call.settle({ answer: 1 });
    expect((await first).StatusCode).toBe(200);
  });
});

describe("a function's own calls", () => {
  it('are denied where its role does not allow them', async () => {
    const code = `
      import { createRequire } from 'node:module';
      const require = createRequire(${JSON.stringify(import.meta.url)});
      const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
      const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3');
      const named = (promise) => promise.then(() => 'done', (error) => error.name);
      export const handler = async () => ({
        work: await named(new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.WORK, MessageBody: 'x' }))),
        other: await named(new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.OTHER, MessageBody: 'x' }))),
        jobs: await named(new S3Client({}).send(new PutObjectCommand({ Bucket: process.env.BUCKET, Key: 'jobs/1', Body: 'x' }))),
        elsewhere: await named(new S3Client({}).send(new PutObjectCommand({ Bucket: process.env.BUCKET, Key: 'other/1', Body: 'x' }))),
      });
    `;
    await start({
      functions: {
        Hello: {
          code,
          properties: {
            MemorySize: 512,
            Timeout: 20,
            Environment: { Variables: { WORK: { Ref: 'Work' }, OTHER: { Ref: 'Other' }, BUCKET: { Ref: 'Jobs' } } },
          },
          statements: [
            { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Work', 'Arn'] } },
            {
              Effect: 'Allow',
              Action: 's3:PutObject',
              Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Jobs', 'Arn'] }, '/jobs/*']] },
            },
          ],
        },
      },
      queues: { Work: {}, Other: {} },
    });
    const { Payload } = await lambda().send(new InvokeCommand({ FunctionName: output('Hello'), Payload: '{}' }));
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
      work: 'done',
      other: expect.stringContaining('AccessDenied'),
      jobs: 'done',
      elsewhere: 'AccessDenied',
    });
  });
});
