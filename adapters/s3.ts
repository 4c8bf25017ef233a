import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Connection, clientSettings } from './connection.ts';

/** Sockets to S3; the other file descriptors of an environment belong to the task's calls. */
const maxSockets = 50;

/** Makes the one S3 client of a process; path style where an endpoint is given, since it has no wildcard domain. */
export function s3Client(connection: Connection): S3Client {
  return new S3Client({
    ...clientSettings(connection),
    ...(connection.endpoint === undefined ? {} : { forcePathStyle: true }),
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 3_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets }),
    }),
  });
}
