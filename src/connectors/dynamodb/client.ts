import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Connection, clientSettings } from '../../aws/connection.ts';

/** Calls at once: 50 batches are 1,250 writes or 5,000 reads. */
const maxSockets = 50;

/** Makes the one DynamoDB client of a process. It tries once: a batch that failed and one that was left are sent again in one place. */
export function dynamoClient(connection: Connection): DynamoDBClient {
  return new DynamoDBClient({
    ...clientSettings(connection),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets }),
    }),
  });
}
