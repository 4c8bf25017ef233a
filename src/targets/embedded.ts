import { findProject } from '../bundle/project.ts';
import { openProjectTasks } from '../bundle/project-tasks.ts';
import { removeOlder } from '../client/remove.ts';
import type { Stack } from '../client/stack.ts';
import { resumeJobs } from '../client/steer.ts';
import { openEmbeddedCloud } from '../cloud/host/cloud.ts';
import { limits } from '../limits.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system.ts';
import { UsageError } from '../task/errors.ts';
import { embeddedStack, usable } from './embedded-stack.ts';
import { connectLocal } from './local-clients.ts';
import { readFolderLogs } from './logs/folder-logs.ts';
import { defaultStateFolder } from './state-folder.ts';
import type { OpenOptions, Target } from './target.ts';
import type { TargetOptions } from './target-options.ts';

/** The cloud of this process, or of another one that has the same folder open. */
export const embedded: Target = {
  name: 'embedded',
  check: ({ endpoint, stack, name }) => {
    const problem =
      endpoint !== undefined
        ? '--endpoint needs --target localstack or aws; the embedded cloud chooses its own port'
        : name !== undefined || stack?.includes('/') === true
          ? 'the name of a construct needs --target localstack or aws; the embedded cloud runs the tasks of this project'
          : undefined;
    if (problem !== undefined) throw new UsageError('InvalidOptions', problem);
  },
  connect: openEmbedded,
  logs: ({ state = defaultStateFolder() }, jobId) => readFolderLogs(state, jobId),
};

/** Opens the cloud in this process, or joins the one that another process has open on the same folder. */
async function openEmbedded(options: TargetOptions, { resume, submits = false }: OpenOptions): Promise<Stack> {
  const runsSince = systemClock.now();
  let resumed = 0;
  let stack: Stack | undefined;
  const tasks = openProjectTasks(usable(() => findProject(process.cwd(), options.tasks)));
  await tasks.refresh();
  const cloud = await openEmbeddedCloud(
    {
      stateDir: options.state ?? defaultStateFolder(),
      settings: {
        ...(options.stack === undefined ? {} : { stackName: options.stack }),
        ...(options.workers === undefined ? {} : { workers: options.workers }),
        ...(tasks.folder === undefined ? {} : { tasks: tasks.folder }),
        // What runs on this machine may call this machine.
        allowPrivateNetwork: true,
      },
      ...(submits && { warm: stackOutputs.fanOutFunction }),
      ...(resume && {
        onOwner: async (connection) => {
          stack ??= connectLocal(connection, () => connection.close());
          resumed = await resumeIn(stack);
        },
      }),
    },
    { synthesize: embeddedStack, clock: systemClock },
  );
  stack ??= connectLocal(cloud, () => cloud.close());
  // Who neither goes on with jobs nor starts any has no worker.
  return { ...stack, resumed, ...((resume || submits) && { runsSince }) };
}

/** A start removes no more expired jobs than this, so that it stays quick; the next one goes on. */
const expiredAtOnce = 5;

/** The queues of a cloud that has just started are empty, so all unfinished jobs need their next tick. */
async function resumeIn(stack: Stack): Promise<number> {
  const resumed = await resumeJobs(stack);
  // Not beside it: a job that is asked for again must not be taken for one that was left.
  await removeOlder(stack.store, stack.clock.now() - limits.keepJobsMs, expiredAtOnce);
  return resumed;
}
