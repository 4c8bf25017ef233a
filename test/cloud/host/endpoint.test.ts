import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InvokeAnswer, InvokeRequest } from '../../../src/cloud/lambda/invoke-api.ts';
import { type EndpointFixture, failureOf, openFixture } from './endpoint-fixture.ts';

let cloud: EndpointFixture;
let lambda: LambdaClient;
let requests: InvokeRequest[];
let respond: (request: InvokeRequest) => Promise<InvokeAnswer>;
let isAllowed: boolean;
beforeEach(async () => {
  requests = [];
  isAllowed = true;
  respond = async ({ payload }) => ({ status: 200, payload });
  cloud = await openFixture({
    authorize: ({ action, resource }) => isAllowed || `refused ${action} on ${resource}`,
    invoke: (request) => {
      requests.push(request);
      return respond(request);
    },
  });
  lambda = new LambdaClient(cloud.settings);
});
afterEach(async () => {
  lambda.destroy();
  await cloud.close();
});

describe('the Invoke API', () => {
  it('hands payload and name over and answers with what the function returned', async () => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'fan-out', Payload: Buffer.from('{"a":"é"}') }));
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.Payload?.transformToString()).toBe('{"a":"é"}');
    expect(answer.FunctionError).toBeUndefined();
    expect(answer.LogResult).toBeUndefined();
    expect(requests).toMatchObject([{ functionName: 'fan-out', invocationType: 'RequestResponse', tail: false }]);
  });

  it.each([
    'fan-out',
    'fan-out:$LATEST',
    '000000000000:function:fan-out',
    'arn:aws:lambda:us-east-1:000000000000:function:fan-out:live',
  ])('knows the function by %s', async (FunctionName) => {
    await lambda.send(new InvokeCommand({ FunctionName }));
    expect(requests[0]?.functionName).toBe('fan-out');
  });

  it('tells a failed function, and the last 4 KB of its log where they are wanted', async () => {
    const logTail = `${'é'.repeat(5_000)}END`;
    respond = async () => ({ status: 200, payload: '{"errorType":"Error"}', functionError: 'Unhandled', logTail });
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'f', LogType: 'Tail' }));
    expect(requests[0]?.tail).toBe(true);
    expect(answer.FunctionError).toBe('Unhandled');
    const log = Buffer.from(answer.LogResult ?? '', 'base64');
    expect(log.byteLength).toBe(4_096);
    expect(log.toString().endsWith('END')).toBe(true);
  });

  it('passes events, dry runs, and the trace header on', async () => {
    respond = async ({ invocationType }) => ({ status: invocationType === 'Event' ? 202 : 204, payload: '' });
    expect((await lambda.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event' }))).StatusCode).toBe(202);
    expect((await lambda.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'DryRun' }))).StatusCode).toBe(
      204,
    );
    await fetch(`${cloud.endpoint.url}/2015-03-31/functions/f/invocations`, {
      method: 'POST',
      headers: { 'x-amzn-trace-id': 'Root=1-a' },
    });
    expect(requests.map(({ invocationType, traceHeader }) => [invocationType, traceHeader])).toEqual([
      ['Event', undefined],
      ['DryRun', undefined],
      ['RequestResponse', 'Root=1-a'],
    ]);
  });

  it('answers the errors of the service by their names', async () => {
    respond = async () => ({ status: 404, payload: '{"Message":"Function not found"}' });
    expect(await failureOf(lambda.send(new InvokeCommand({ FunctionName: 'f' })))).toEqual({
      name: 'ResourceNotFoundException',
      status: 404,
    });
    respond = async () => ({ status: 429, payload: '{"Message":"Rate Exceeded."}' });
    expect(await failureOf(lambda.send(new InvokeCommand({ FunctionName: 'f' })))).toEqual({
      name: 'TooManyRequestsException',
      status: 429,
    });
    isAllowed = false;
    expect(await failureOf(lambda.send(new InvokeCommand({ FunctionName: 'f' })))).toEqual({
      name: 'AccessDeniedException',
      status: 403,
    });
    isAllowed = true;
    expect(
      await failureOf(lambda.send(new InvokeCommand({ FunctionName: 'f', Payload: Buffer.alloc(6_291_457) }))),
    ).toEqual({ name: 'RequestTooLargeException', status: 413 });
    expect(requests).toHaveLength(2);
  });
});

it('answers STS with the account of its ARNs', async () => {
  const sts = new STSClient(cloud.settings);
  expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe('000000000000');
  sts.destroy();
});

it('takes another port where the wanted one is not free', async () => {
  const second = await openFixture({ port: cloud.endpoint.port });
  expect(second.endpoint.port).not.toBe(cloud.endpoint.port);
  await second.close();
});

it('closes while a long poll waits and an invocation runs', async () => {
  const { url } = await cloud.endpoint.createQueue('waited-for');
  const invoked = Promise.withResolvers<void>();
  respond = () => {
    invoked.resolve();
    return new Promise(() => {});
  };
  const polling = cloud.sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }));
  const invoking = lambda.send(new InvokeCommand({ FunctionName: 'f' }));
  const ended = Promise.allSettled([polling, invoking]);
  await invoked.promise;
  await cloud.endpoint.close();
  expect((await ended)[1]?.status).toBe('rejected');
  await expect(fetch(cloud.endpoint.url)).rejects.toThrow();
  await expect(cloud.endpoint.receive(url, { max: 1 })).rejects.toThrow();
});
