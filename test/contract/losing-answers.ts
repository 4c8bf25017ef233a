import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { JobStore } from '../../src/aws/job-store.ts';
import type { ObjectStore } from '../../src/ports.ts';

/** A store whose every write happens and loses its first answer on the way, as when a connection breaks; the SDK asks again. */
export function losingAnswers(
  settings: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  },
  bucket: string,
): ObjectStore {
  const handler = new NodeHttpHandler();
  const asked = new Set<string>();
  const client = new S3Client({
    ...settings,
    forcePathStyle: true,
    maxAttempts: 2,
    requestHandler: {
      handle: async (...given: Parameters<NodeHttpHandler['handle']>) => {
        const [request] = given;
        const answer = await handler.handle(...given);
        if (request.method !== 'PUT' || asked.has(request.path)) return answer;
        asked.add(request.path);
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      },
      updateHttpClientConfig: (...given: Parameters<NodeHttpHandler['updateHttpClientConfig']>) =>
        handler.updateHttpClientConfig(...given),
      httpHandlerConfigs: () => handler.httpHandlerConfigs(),
    },
  });
  return new JobStore(client, bucket);
}
