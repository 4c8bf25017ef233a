import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessRequest } from '../../../src/cloud/host/access.ts';
import { type Endpoint, openEndpoint } from '../../../src/cloud/host/endpoint.ts';
import { temporaryFolder } from '../../support/embedded-stack.ts';
import { sendRaw } from '../host/endpoint-fixture.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let endpoint: Endpoint;
let client: DynamoDBClient;
let asked: AccessRequest[];

async function open(keyName = 'id'): Promise<void> {
  endpoint = await openEndpoint({
    stateDir: folder.path,
    authorize: (request) => {
      asked.push(request);
      return request.accessKeyId === 'PERSON';
    },
    invoke: () => Promise.reject(new Error('there are no functions here')),
  });
  endpoint.createTable({
    name: 'Users',
    arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/Users',
    definition: {
      TableName: 'Users',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: keyName, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: keyName, KeyType: 'HASH' }],
    },
  });
  client = clientAs('PERSON');
}

function clientAs(accessKeyId: string): DynamoDBClient {
  const credentials = { accessKeyId, secretAccessKey: 'secret' };
  return new DynamoDBClient({ endpoint: endpoint.url, region: 'us-east-1', credentials, maxAttempts: 1 });
}

async function close(): Promise<void> {
  client.destroy();
  await endpoint.close();
}

beforeEach(async () => {
  asked = [];
  folder = await temporaryFolder();
  await open();
});
afterEach(async () => {
  await close();
  await folder[Symbol.asyncDispose]();
});

const put = (id: string) => client.send(new PutItemCommand({ TableName: 'Users', Item: { id: { S: id } } }));
const get = (id: string) => client.send(new GetItemCommand({ TableName: 'Users', Key: { id: { S: id } } }));

describe('the embedded DynamoDB', () => {
  it('starts with its first call, and has the tables of the template then', async () => {
    expect(await readdir(folder.path)).not.toContain('dynamodb');
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'Users' }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/Users',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    });
    expect(await readdir(folder.path)).toContain('dynamodb');
  });

  it('keeps its items in the state folder', async () => {
    await put('a');
    await close();
    await open();
    expect(await get('a')).toMatchObject({ Item: { id: { S: 'a' } } });
  });

  it('refuses a template whose table has another key than the one that is kept', async () => {
    await put('a');
    await close();
    await open('name');
    await expect(get('a')).rejects.toMatchObject({
      name: 'InternalServerError',
      message: expect.stringContaining(`in ${join(folder.path, 'dynamodb')} with the key`),
    });
  });

  it('asks for leave by action and table, for each table of a batch', async () => {
    await expect(clientAs('STRANGER').send(new GetItemCommand({ TableName: 'Users', Key: {} }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/Users'),
    });
    asked = [];
    await sendBody('BatchGetItem', JSON.stringify({ RequestItems: { Users: { Keys: [] }, Others: { Keys: [] } } }));
    expect(asked.map(({ action, resource }) => `${action} ${resource.split('/')[1]}`)).toEqual([
      'dynamodb:BatchGetItem Users',
      'dynamodb:BatchGetItem Others',
    ]);
  });

  it.each(['', 'null', '[]', '{'])('refuses the body %j', async (body) => {
    expect(await sendBody('GetItem', body)).toMatchObject({
      status: 400,
      body: expect.stringContaining('SerializationException'),
    });
  });

  it('survives a request that ends its thread, with what was written before', async () => {
    await put('a');
    const fatal = await sendBody('BatchGetItem', '{"RequestItems":{"Users":{"Keys":[null]}}}');
    expect(fatal).toMatchObject({ status: 500, body: expect.stringContaining('InternalServerError') });
    expect(await get('a')).toMatchObject({ Item: { id: { S: 'a' } } });
  });
});

function sendBody(operation: string, body: string) {
  const headers = {
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    authorization: 'AWS4-HMAC-SHA256 Credential=PERSON/20260101/us-east-1/dynamodb/aws4_request',
  };
  return sendRaw(endpoint.url, { method: 'POST', path: '/', headers }, body);
}
