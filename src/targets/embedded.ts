import { openStack } from '../client/stack.ts';
import { resumeJobs } from '../client/steer.ts';
import { type CloudConnection, openEmbeddedCloud } from '../cloud/host/cloud.ts';
import { openStackTarget } from './stack-clients.ts';
import { defaultStateFolder } from './state-folder.ts';
import type { OpenOptions, Target } from './target.ts';
import type { TargetOptions } from './target-options.ts';

/** Opens the cloud in this process, or joins the one that another process has open on the same folder. */
export async function openEmbedded(options: TargetOptions, { resume }: OpenOptions): Promise<Target> {
  let resumed = 0;
  const cloud = await openEmbeddedCloud({
    stateDir: options.state ?? defaultStateFolder(),
    settings: {
      ...(options.stack === undefined ? {} : { stackName: options.stack }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      // What runs on this machine may call this machine.
      allowPrivateNetwork: true,
    },
    ...(resume && {
      onOwner: async (connection) => {
        resumed = await resumeIn(connection);
      },
    }),
  });
  try {
    const stack = openStackTarget(cloud, cloud.outputs);
    return {
      ...stack,
      name: 'embedded',
      resumed,
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
async function resumeIn(cloud: CloudConnection): Promise<number> {
  const stack = openStack(cloud, cloud.outputs);
  try {
    return await resumeJobs(stack.steer);
  } finally {
    stack.close();
  }
}
