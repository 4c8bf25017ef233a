import { setTimeout as sleep } from 'node:timers/promises';
import { PurgeQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue, sqsClient } from '../../../src/aws/work-queue.ts';
import { ownCredentials } from '../../../src/cloud/host/cloud-access.ts';
import { bellFor, encodeMessage } from '../../../src/format/message.ts';
import { stackOutputs } from '../../../src/runtime/environment.ts';
import { type CliProcess, startCli } from '../../cli/cli-process.ts';
import type { LimitTimeline } from './check-limits.ts';
import type { Call } from './downstream.ts';
import { functionProcesses } from './function-processes.ts';
import type { OwnerProcess } from './owner-process.ts';
import type { Act, PlannedLimits } from './plan.ts';

const region = 'us-east-1';

/** What things are done to. */
export interface Subject {
  readonly jobId: string;
  readonly owner: OwnerProcess;
  readonly command: () => CliProcess;
  readonly downstream: { readonly calls: readonly Call[] };
  readonly timeline: LimitTimeline;
  /** Arguments by which a command finds the state folder. */
  readonly target: readonly string[];
}

/** What people do, and not a fault. */
export const isSteering = ({ kind }: Act): boolean => kind === 'tune' || kind === 'pause';

/** Limits as a command is given them. */
export const flagsOf = ({ concurrency, rate }: PlannedLimits): readonly string[] => [
  ...(concurrency === undefined ? [] : ['--concurrency', String(concurrency)]),
  ...(rate === undefined ? [] : ['--rate', `${rate}/s`]),
];

/** Does one thing to the run; answers when it was over, and nothing where there was nothing to do it to. */
export async function perform(act: Act, on: Subject): Promise<number | undefined> {
  const { owner, downstream } = on;
  const command = on.command();
  const functions = functionProcesses([owner.child.pid, command.child.pid]);
  // Of the workers the one that calls: another one may have nothing to lose.
  const caller = downstream.calls.at(-1)?.pid;
  const pidOf = (isWorker: boolean): number | undefined =>
    (functions.find((one) => isWorker && one.pid === caller) ?? functions.find((one) => one.isWorker === isWorker))
      ?.pid;
  const isOwnerAlive = owner.child.exitCode === null && owner.child.signalCode === null;
  switch (act.kind) {
    case 'kill-worker':
    case 'kill-other-function':
      return signal(pidOf(act.kind === 'kill-worker'), 'SIGKILL');
    case 'kill-owner':
      return isOwnerAlive ? signal(owner.child.pid, 'SIGKILL') : undefined;
    case 'interrupt-owner':
      return isOwnerAlive ? signal(owner.child.pid, 'SIGTERM') : undefined;
    case 'kill-command':
      return command.child.exitCode === null ? signal(command.child.pid, 'SIGKILL') : undefined;
    case 'stop-worker':
    case 'stop-owner': {
      const pid = act.kind === 'stop-worker' ? pidOf(true) : isOwnerAlive ? owner.child.pid : undefined;
      if (signal(pid, 'SIGSTOP') === undefined) return undefined;
      await sleep(act.forMs);
      return signal(pid, 'SIGCONT') ?? Date.now();
    }
    case 'tune':
      on.timeline.tuned(act.limits, await steer(on, 'tune', flagsOf(act.limits)));
      return Date.now();
    case 'pause':
      on.timeline.paused(await steer(on, 'pause'));
      await sleep(act.forMs);
      on.timeline.resumed({ began: Date.now() });
      // A job that nobody resumes would pause for ever.
      for (let asked = await steer(on, 'resume'); !asked.isOver; asked = await steer(on, 'resume')) await sleep(500);
      return Date.now();
    case 'double-bell':
      return onQueue(owner, async (queue) => {
        const folder = { id: on.jobId, pass: 0 };
        await queue.send(
          [0, 0, 1].map((seat) => encodeMessage(bellFor(folder, seat))),
          { group: on.jobId },
        );
      });
    case 'purge':
      return onQueue(owner, (_queue, sqs, QueueUrl) => sqs.send(new PurgeQueueCommand({ QueueUrl })));
  }
}

/** Changes the job by a command of its own; says since when the change stands, where the command knows. */
async function steer({ jobId, target }: Subject, verb: 'tune' | 'pause' | 'resume', flags: readonly string[] = []) {
  const began = Date.now();
  const { code, stderr } = await startCli([verb, jobId, ...flags, ...target]).ended;
  // A job that has ended takes no change.
  return { began, stoodAt: code === 0 ? Date.now() : undefined, isOver: code === 0 || stderr.includes('has ended') };
}

/** Does something to the work queue; answers when, or nothing where nobody owns the folder or the request itself went wrong. */
async function onQueue(
  { endpoint, outputs }: OwnerProcess,
  act: (queue: SqsQueue, sqs: SQSClient, url: string) => Promise<unknown>,
): Promise<number | undefined> {
  const sqs = sqsClient({ endpoint, region, credentials: ownCredentials });
  const url = outputs[stackOutputs.workQueueUrl] ?? '';
  try {
    await act(new SqsQueue(sqs, url), sqs, url);
    return Date.now();
  } catch {
    return undefined;
  } finally {
    sqs.destroy();
  }
}

/** Sends a signal; answers when, or nothing where the process is gone. */
function signal(pid: number | undefined, name: NodeJS.Signals): number | undefined {
  if (pid === undefined) return undefined;
  try {
    process.kill(pid, name);
    return Date.now();
  } catch {
    return undefined;
  }
}
