import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openEndpoint } from '../../../src/cloud/host/endpoint.ts';

/** The embedded cloud's S3 with one bucket; it ends with its test. */
export interface ObjectCloud {
  readonly url: string;
  get(key: string): Promise<Buffer | undefined>;
  put(key: string, body: Buffer<ArrayBuffer>): Promise<void>;
  /** Uploads in parts that were begun, and neither completed nor aborted. */
  unfinished(): Promise<readonly string[]>;
}

/** Starts it, and points the SDK of this process to it: the tasks' one S3 client reads that when it is first used. */
export async function startObjectCloud(bucket: string): Promise<ObjectCloud> {
  const stateDir = await mkdtemp(join(tmpdir(), 'fanloop-objects-'));
  const endpoint = await openEndpoint({
    stateDir,
    authorize: () => true,
    invoke: () => Promise.reject(new Error('there are no functions here')),
  });
  onTestFinished(async () => {
    await endpoint.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  endpoint.createBucket(bucket);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request';
  return {
    url: endpoint.url,
    put: async (key, body) => {
      await fetch(`${endpoint.url}/${bucket}/${key}`, { method: 'PUT', headers: { authorization }, body });
    },
    get: async (key) => {
      const answer = await fetch(`${endpoint.url}/${bucket}/${key}`, { headers: { authorization } });
      const body = Buffer.from(await answer.arrayBuffer());
      return answer.status === 200 ? body : undefined;
    },
    unfinished: () => readdir(join(stateDir, 's3', bucket, 'uploads')),
  };
}
