import { S3Client } from '@aws-sdk/client-s3';
import { type Connection, clientSettings } from './connection.ts';

/** Makes the one S3 client of a process; path style where an endpoint is given, since it has no wildcard domain. */
export function s3Client(connection: Connection): S3Client {
  return new S3Client({
    ...clientSettings(connection),
    ...(connection.endpoint === undefined ? {} : { forcePathStyle: true }),
    // A job's input may be in a bucket of another region.
    followRegionRedirects: true,
  });
}
