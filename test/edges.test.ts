import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSqsQueues, type SqsQueues } from '../src/cloud/sqs/queues.ts';
import { parseTemplate } from '../src/cloud/template/template.ts';
import { describeStack } from '../src/cloud/template/template-stack.ts';
import { chunkTableFormat, cutFormat } from '../src/format/chunk.ts';
import { controlFormat } from '../src/format/control.ts';
import { decodeDigest } from '../src/format/digest-text.ts';
import { manifestFormat } from '../src/format/manifest.ts';
import { encodeMessage, parseMessage } from '../src/format/message.ts';
import { BrokenRecord } from '../src/format/record.ts';
import { parseRequest } from '../src/format/request.ts';
import { summaryFormat } from '../src/format/summary.ts';
import { tickFormat } from '../src/format/tick.ts';
import { systemClock } from '../src/runtime/system.ts';
import { UsageError } from '../src/task/errors.ts';
import { type EndpointFixture, openFixture, sendRaw } from './cloud/host/endpoint-fixture.ts';

/** Names that change what an object is when a parser is careless with them. */
const badNames = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];
const known = [
  'v',
  'kind',
  'job',
  'part',
  'chunk',
  'range',
  'gen',
  'n',
  'task',
  'items',
  'input',
  'state',
  'totals',
  'parts',
  'digest',
  'only',
];
const name = fc.oneof(fc.constantFrom(...badNames), fc.constantFrom(...known), fc.string());
const { value: anyJson } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'work', 'tick', 1, 2, 99, '\u0000', '\ud800'),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.array(tie('value'), { maxLength: 5 }),
    // Written as text, so that `__proto__` is a name and not the prototype.
    fc.array(fc.tuple(name, tie('value')), { maxLength: 6 }).map((entries) => {
      const members = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`);
      return JSON.parse(`{${members.join(',')}}`) as unknown;
    }),
  ),
}));
const text = fc.oneof(
  anyJson.map((value) => JSON.stringify(value) ?? ''),
  fc.string({ unit: 'binary' }),
);
const runs = { numRuns: 400 };

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

/** What a parser may throw: an error with a code, or a record that names itself as broken. */
function refusesByCode(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    const isKnown = error instanceof UsageError || error instanceof BrokenRecord;
    if (!isKnown) throw error;
  }
}

describe('whatever stands in a queue, a folder, or a request', () => {
  it('is a message, a newer one, or a foreign one', () => {
    fc.assert(
      fc.property(text, (body) => {
        const parsed = parseMessage(body);
        expect(['message', 'newer', 'foreign']).toContain(parsed.kind);
        // What was read can be written, and is read as the same again.
        if (parsed.kind === 'message') expect(parseMessage(encodeMessage(parsed.message))).toEqual(parsed);
      }),
      runs,
    );
  });

  it.each([
    ['manifest', manifestFormat],
    ['control', controlFormat],
    ['tick', tickFormat],
    ['summary', summaryFormat],
    ['chunk table', chunkTableFormat],
    ['cut', cutFormat],
  ])('is a %s, or refused as none', (_, format) => {
    fc.assert(
      fc.property(text, (body) => refusesByCode(() => format.parse(body))),
      runs,
    );
  });

  it('is a digest, or refused as none', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.stringMatching(/^[\d,;:.A-Za-z-]*$/)), (body) =>
        refusesByCode(() => decodeDigest(body)),
      ),
      runs,
    );
  });

  it('is a request, or refused with a code', () => {
    fc.assert(
      fc.property(anyJson, (event) => refusesByCode(() => parseRequest(event))),
      runs,
    );
  });

  it('is a template, or refused with a sentence', () => {
    const options = { stackName: 's', endpointUrl: 'http://127.0.0.1:1', assetsDir: '/tmp' };
    const types = [
      'AWS::SQS::Queue',
      'AWS::S3::Bucket',
      'AWS::Lambda::Function',
      'AWS::IAM::Role',
      'AWS::Lambda::EventSourceMapping',
      'AWS::X::Y',
    ];
    const resources = fc.dictionary(fc.string(), fc.record({ Type: fc.constantFrom(...types), Properties: anyJson }), {
      maxKeys: 4,
    });
    const document = fc.oneof(
      anyJson,
      resources.map((Resources) => ({ Resources })),
    );
    fc.assert(
      fc.property(document, (template) => {
        try {
          describeStack(parseTemplate(template), options);
        } catch (error) {
          // No TypeError of a careless look: each refusal says what it expected.
          expect(String(error)).toMatch(/^Error: expected|^Error: .*expected|embedded cloud/);
        }
      }),
      runs,
    );
  });
});

describe('whatever is asked of SQS', () => {
  let queues: SqsQueues;
  beforeAll(async () => {
    queues = openSqsQueues(() => 'http://127.0.0.1', systemClock);
    const { signal } = new AbortController();
    await queues.call('CreateQueue', { QueueName: 'fuzzed', Attributes: { VisibilityTimeout: '0' } }, { signal });
  });
  afterAll(() => queues.close());

  it('is answered, or refused with a code', async () => {
    const actions = [
      'CreateQueue',
      'SendMessage',
      'SendMessageBatch',
      'ReceiveMessage',
      'DeleteMessage',
      'DeleteMessageBatch',
      'ChangeMessageVisibility',
      'ChangeMessageVisibilityBatch',
      'GetQueueAttributes',
      'SetQueueAttributes',
      'ListQueues',
      'GetQueueUrl',
      '__proto__',
      'toString',
    ];
    const field = fc.constantFrom(
      'QueueName',
      'Attributes',
      'MessageBody',
      'Entries',
      'Id',
      'DelaySeconds',
      'MessageGroupId',
      'ReceiptHandle',
      'VisibilityTimeout',
      'MaxNumberOfMessages',
      'AttributeNames',
      'MessageAttributes',
      'MessageSystemAttributes',
      '__proto__',
    );
    const input = fc
      .array(fc.tuple(field, anyJson), { maxLength: 6 })
      .map((entries) => ({ ...Object.fromEntries(entries), QueueUrl: '/0/fuzzed', WaitTimeSeconds: 0 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...actions), input, async (action, asked) => {
        const { status, body } = await queues.call(action, asked, { signal: AbortSignal.any([]) });
        if (status !== 200) expect(body['__type']).toMatch(/^com\.amazonaws\.sqs#\w+$/);
        JSON.stringify(body);
      }),
      { numRuns: 600 },
    );
  });
});

describe('whatever comes over HTTP', () => {
  let cloud: EndpointFixture;
  beforeAll(async () => {
    cloud = await openFixture();
  });
  afterAll(() => cloud.close());

  it('is answered by S3, SQS, and Lambda with a status and no 500', async () => {
    const part = fc.oneof(
      fc.constantFrom(
        'bucket',
        '..',
        '%2e%2e',
        '%',
        '%00',
        '__proto__',
        '?list-type=2',
        '?uploads',
        '?delete',
        '?uploadId=x&partNumber=1',
        '?max-keys=-1',
        '?continuation-token=%ff',
        '2015-03-31/functions/f/invocations',
      ),
      fc.webPath(),
    );
    const headers = fc.record(
      {
        range: fc.constantFrom('bytes=0-', 'bytes=-', 'bytes=9-1', 'bytes=-0', 'x'),
        'if-match': fc.constantFrom('*', '"x"', ''),
        'if-none-match': fc.constantFrom('*', '"x"'),
        'x-amz-target': fc.constantFrom(
          'AmazonSQS.SendMessage',
          'AmazonSQS.',
          'AmazonSQS.__proto__',
          'DynamoDB_20120810.GetItem',
        ),
        'x-amz-copy-source': fc.constantFrom('/bucket/x', 'x', '/%'),
        'content-type': fc.constantFrom('application/x-amz-json-1.0', 'application/x-www-form-urlencoded', 'x'),
        authorization: fc.constantFrom('Credential=PERSON/x', 'Credential=/', ''),
      },
      { requiredKeys: [] },
    );
    const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH');
    await fc.assert(
      fc.asyncProperty(method, fc.array(part, { maxLength: 3 }), headers, text, async (verb, parts, given, body) => {
        const path = `/${parts.join('/').replaceAll(/[^\x21-\x7e]/g, '')}`;
        const answer = await sendRaw(
          cloud.endpoint.url,
          {
            method: verb,
            path,
            // By itself Node sends the body of a DELETE without a length.
            headers: { ...given, 'content-length': Buffer.byteLength(body), connection: 'close' },
          },
          body,
        );
        expect([path, given, answer.status, answer.body.slice(0, 200)]).toSatisfy(
          () => answer.status < 500 || answer.status === 501,
        );
      }),
      { numRuns: 300 },
    );
  });
});
