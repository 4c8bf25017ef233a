import { JobStore } from '../../adapters/job-store.ts';
import { s3Client } from '../../adapters/s3.ts';
import { systemClock } from '../../adapters/system.ts';
import { SqsQueue, sqsClient } from '../../adapters/work-queue.ts';
import { stackOutputs } from '../../core/environment.ts';
import { resumeJobs } from '../../core/job/steer.ts';
import { type CloudConnection, openEmbeddedCloud } from '../../local/embedded/cloud.ts';
import type { TargetOptions } from '../options.ts';
import { openStack } from './stack-clients.ts';
import { defaultStateFolder } from './state-folder.ts';
import type { OpenOptions, Target } from './target.ts';

/** Opens the cloud in this process, or joins the one that another process has open on the same folder. */
export async function openEmbedded(options: TargetOptions, { resume }: OpenOptions): Promise<Target> {
  const cloud = await openEmbeddedCloud({
    stateDir: options.state ?? defaultStateFolder(),
    settings: {
      ...(options.stack === undefined ? {} : { stackName: options.stack }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      // What runs on this machine may call this machine.
      allowPrivateNetwork: true,
    },
    ...(resume ? { onOwner: resumeIn } : {}),
  });
  try {
    const stack = openStack(cloud, cloud.outputs);
    return {
      ...stack,
      name: 'embedded',
      outlivesProcess: () => !cloud.owner,
      close: async () => {
        await stack.close();
        await cloud.close();
      },
    };
  } catch (error) {
    await cloud.close();
    throw error;
  }
}

/** The queues of a cloud that has just started are empty, so all unfinished jobs need their next tick. */
async function resumeIn(cloud: CloudConnection): Promise<void> {
  const s3 = s3Client(cloud);
  const sqs = sqsClient(cloud);
  try {
    await resumeJobs({
      store: new JobStore(s3, cloud.outputs[stackOutputs.bucket] ?? ''),
      tickQueue: new SqsQueue(sqs, cloud.outputs[stackOutputs.tickQueueUrl] ?? ''),
      clock: systemClock,
    });
  } finally {
    s3.destroy();
    sqs.destroy();
  }
}
