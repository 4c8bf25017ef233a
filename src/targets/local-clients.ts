import { LocalInput } from '../aws/local/local-input.ts';
import { LocalQueue } from '../aws/local/local-queue.ts';
import { failureOf, LocalRequests } from '../aws/local/local-requests.ts';
import { LocalStore } from '../aws/local/local-store.ts';
import type { Stack } from '../client/stack.ts';
import type { CloudConnection } from '../cloud/host/cloud.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { systemClock, systemRandom } from '../runtime/system.ts';
import { fanOutTimeoutMs, invokeFanOut, type SendInvocation } from './fan-out-function.ts';
import { smallFirst } from './local-upload.ts';

/**
 * The clients of an embedded cloud. What each job needs goes without the SDK; uploads of several parts load it when they are first
 * used, which takes as long as a small job.
 */
export function connectLocal(cloud: CloudConnection, close: () => Promise<void> = async () => {}): Stack {
  const { outputs } = cloud;
  const requests = new LocalRequests(cloud);
  const outlivesProcess = (): boolean => !cloud.owner;
  const loaded = new Map<string, Promise<Stack>>();
  const sdk = (): Promise<Stack> => {
    // Who takes over the cloud may have to do so on another port.
    const { endpoint } = cloud;
    const stack =
      loaded.get(endpoint) ??
      import('./stack-clients.ts').then(({ connectStack }) => connectStack(cloud, outputs, { outlivesProcess }));
    loaded.set(endpoint, stack);
    // What could not be loaded is asked for again.
    stack.catch(() => loaded.delete(endpoint));
    return stack;
  };
  const name = outputs[stackOutputs.fanOutFunction] ?? '';
  const send: SendInvocation = async (payload, signal) => {
    const asked = {
      service: 'lambda',
      method: 'POST',
      path: `/2015-03-31/functions/${name}/invocations`,
      body: Buffer.from(payload),
      timeoutMs: fanOutTimeoutMs,
      signal,
    } as const;
    const answer = await requests.send(asked);
    if (answer.status !== 200) throw failureOf(asked, answer);
    const error = answer.headers['x-amz-function-error'];
    return { payload: answer.body.toString(), functionError: error?.toString() };
  };
  const bucket = outputs[stackOutputs.bucket] ?? '';
  const store = new LocalStore(requests, bucket, () => cloud.readObject);
  const upload = smallFirst(store, async () => (await sdk()).upload);
  return {
    store,
    tickQueue: new LocalQueue(requests, outputs[stackOutputs.tickQueueUrl] ?? ''),
    clock: systemClock,
    random: systemRandom,
    input: new LocalInput(requests),
    bucket,
    workers: Number(outputs[stackOutputs.workers]),
    outlivesProcess,
    tellStored: (listener) => cloud.onStored(listener),
    upload: async (key, blocks, options) => {
      await upload(key, blocks, options);
      // What is uploaded goes to the workers: the first one starts while the fan-out cuts.
      cloud.warm(stackOutputs.workerFunction);
    },
    invoke: (request, signal) => invokeFanOut(send, request, signal),
    close: async () => {
      requests.close();
      await Promise.allSettled([...loaded.values()].map(async (stack) => (await stack).close()));
      await close();
    },
  };
}
