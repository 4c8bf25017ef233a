import { S3Client } from '@aws-sdk/client-s3';
import { type Connection, clientSettings } from './connection.ts';

/** When S3 gave an answer, by its own clock. */
const answers = new WeakMap<object, number>();

/** Milliseconds since the epoch, to the second; undefined where the answer did not say. */
export const answeredAt = (output: object): number | undefined => answers.get(output);

/** The header of an HTTP response, whatever client made it. */
function dateOf(response: unknown): string {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return '';
  const { headers } = response;
  return typeof headers === 'object' && headers !== null && 'date' in headers ? String(headers.date) : '';
}

/** Makes the one S3 client of a process; path style where an endpoint is given, since it has no wildcard domain. */
export function s3Client(connection: Connection): S3Client {
  const client = new S3Client({
    ...clientSettings(connection),
    ...(connection.endpoint === undefined ? {} : { forcePathStyle: true }),
    // A job's input may be in a bucket of another region.
    followRegionRedirects: true,
  });
  // A lease in S3 is as old as S3 itself says: its answer has the time of the write and that of the answer, from one clock.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const answeredAt = Date.parse(dateOf(result.response));
      if (Number.isFinite(answeredAt) && result.output !== undefined) answers.set(result.output, answeredAt);
      return result;
    },
    { step: 'deserialize', name: 'answeredAt', priority: 'high' },
  );
  return client;
}
