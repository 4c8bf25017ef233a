import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { PurgeQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue, sqsClient } from '../../../src/aws/work-queue.ts';
import { ownCredentials } from '../../../src/cloud/host/cloud-access.ts';
import { bellFor, encodeMessage } from '../../../src/format/message.ts';
import type { Row } from '../../../src/format/outcome.ts';
import type { Summary } from '../../../src/format/summary.ts';
import { stackOutputs } from '../../../src/runtime/environment.ts';
import { type CliProcess, parseLines, startCli } from '../../cli/cli-process.ts';
import { check, repeats } from './check.ts';
import { checkLimits, LimitTimeline } from './check-limits.ts';
import { type Call, openDownstream } from './downstream.ts';
import { functionProcesses } from './function-processes.ts';
import { type Act, type PlannedLimits, planOf } from './plan.ts';

/** What a run came to. */
export interface ProcessRun {
  readonly seed: number;
  readonly items: number;
  readonly calls: number;
  /** Answered calls that were made again. */
  readonly repeated: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
  readonly tookMs: number;
  /** From the last fault to the end of the job. */
  readonly endedAfterMs: number;
}

const tasks = join(import.meta.dirname, 'tasks');
/** A job ends within this time of its last fault: a process that stood still holds its messages for 9 s, a lost message is missed after 18. */
const endsWithinMs = 60_000;
const region = 'us-east-1';

interface OwnerProcess {
  readonly child: ChildProcess;
  readonly endpoint: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs one job by the real command on real processes while the nemesis of a seed is at work, and holds it to its promises. */
export async function runProcesses(seed: number): Promise<ProcessRun> {
  const plan = planOf(seed);
  const folder = await mkdtemp(join(tmpdir(), 'fanloop-chaos-'));
  const state = join(folder, 'state');
  const target = ['--state', state, '--tasks', tasks, '--workers', '2'];
  const faults = new Map<string, number>();
  const count = (kind: string): void => void faults.set(kind, (faults.get(kind) ?? 0) + 1);
  const downstream = await openDownstream(plan.slowness);
  let lastFaultAt = 0;
  let faceFaults = 0;
  const owner = await startOwner([state, tasks, String(seed), String(plan.faceOdds)], (kind) => {
    lastFaultAt = Date.now();
    faceFaults++;
    count(`face: ${kind}`);
  });
  const done: Array<{ kind: string; at: number; untilAt: number }> = [];
  const startedAt = Date.now();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const input = join(folder, 'items.ndjson');
  await writeFile(
    input,
    Array.from({ length: plan.items }, (_, n) => `${JSON.stringify({ n, url: downstream.url })}\n`).join(''),
  );
  const out = ['--json', '--out', join(folder, 'rows.ndjson')];
  const options = ['--input', input, ...flagsOf(plan.limits)];
  const run = (): CliProcess => startCli(['run', 'ask', ...options, ...out, ...target]);
  let command = run();
  try {
    let jobId = await jobOf(command);
    // Whoever is told that nothing could be started gives the command again.
    for (; jobId === undefined && faceFaults > 0; jobId = await jobOf(command)) {
      count('command could not start');
      command = run();
    }
    if (jobId === undefined) throw new Error(`expected a job that begins, got ${(await command.ended).stderr}`);
    const begunAt = Date.now();
    const timeline = new LimitTimeline(plan.limits);
    const on = { jobId, owner, command: () => command, downstream, timeline, target };
    const disturbing = (async () => {
      const performAt = async (acts: readonly Act[], from: number): Promise<void> => {
        for (const act of acts) {
          await sleep(Math.max(0, from + act.atMs - Date.now()));
          const untilAt = await perform(act, on);
          if (untilAt === undefined) continue;
          count(act.kind);
          lastFaultAt = Math.max(lastFaultAt, untilAt);
          // Nobody's calls are made again because somebody changes limits.
          if (isSteering(act)) continue;
          done.push({ kind: act.kind, at: untilAt - (act.kind.startsWith('stop') ? act.forMs : 0), untilAt });
        }
      };
      await performAt(
        plan.acts.filter(({ early }) => early),
        begunAt,
      );
      await Promise.race([downstream.firstCall, command.ended]);
      const calledAt = Date.now();
      await performAt(
        plan.acts.filter(({ early }) => !early),
        calledAt,
      );
      await sleep(Math.max(0, calledAt + plan.calmAfterMs - Date.now()));
      if (owner.child.connected) owner.child.send('calm');
    })();
    let summary: Summary | undefined;
    while (summary === undefined) {
      const ended = await within(command.ended, endsWithinMs + 30_000);
      if (ended === undefined) break;
      summary = summaryOf(ended.stdout);
      if (summary !== undefined) break;
      if (Date.now() - Math.max(lastFaultAt, begunAt) > endsWithinMs) break;
      // Who was killed, or could not go on, watches on.
      count(`command ended with ${ended.code}`);
      command = startCli(['watch', jobId, ...out, ...target]);
    }
    const endedAt = Date.now();
    await disturbing;
    const rows = summary === undefined ? [] : await rowsIn(join(folder, 'rows.ndjson'));
    const violations =
      summary === undefined
        ? [`the job ${jobId} did not end within ${endsWithinMs / 1_000} s of the last fault`]
        : [
            ...check({
              items: plan.items,
              rows,
              summary,
              calls: downstream.calls,
              acts: done,
              faceFaults,
              lagMs: lag.max / 1e6,
            }),
            ...checkLimits(downstream.calls, timeline.spans, lag.max / 1e6),
          ];
    const endedAfterMs = endedAt - Math.max(lastFaultAt, begunAt);
    return {
      seed,
      items: plan.items,
      calls: downstream.calls.length,
      repeated: repeats(downstream.calls).filter(({ call }) => call.answeredAt !== undefined).length,
      faults,
      violations,
      tookMs: endedAt - startedAt,
      endedAfterMs: Math.max(0, endedAfterMs),
    };
  } finally {
    downstream.close();
    await end(command.child);
    await end(owner.child);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startOwner(args: readonly string[], onFault: (kind: string) => void): Promise<OwnerProcess> {
  const child = fork(join(import.meta.dirname, 'owner.ts'), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const started = new Promise<Omit<OwnerProcess, 'child'>>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`expected an owner that starts, got exit code ${code}`)));
    child.on('message', (message) => {
      // The owner of this folder wrote it.
      const told = message as { readonly fault: string } | Omit<OwnerProcess, 'child'>;
      if ('fault' in told) onFault(told.fault);
      else resolve(told);
    });
  });
  return { child, ...(await started) };
}

/** What things are done to. */
interface Subject {
  readonly jobId: string;
  readonly owner: OwnerProcess;
  readonly command: () => CliProcess;
  readonly downstream: { readonly calls: readonly Call[] };
  readonly timeline: LimitTimeline;
  /** Arguments by which a command finds the state folder. */
  readonly target: readonly string[];
}

const isSteering = ({ kind }: Act): boolean => kind === 'tune' || kind === 'pause';

const flagsOf = ({ concurrency, rate }: PlannedLimits): readonly string[] => [
  ...(concurrency === undefined ? [] : ['--concurrency', String(concurrency)]),
  ...(rate === undefined ? [] : ['--rate', `${rate}/s`]),
];

/** Does one thing to the run; answers when it was over, and nothing where there was nothing to do it to. */
async function perform(act: Act, on: Subject): Promise<number | undefined> {
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

/** The id of the job that a command has begun, which is said before its first call can happen; undefined where it ended before. */
async function jobOf(command: CliProcess): Promise<string | undefined> {
  let stdout = '';
  const said = new Promise<string>((resolve) => {
    command.child.stdout?.on('data', (text: string) => {
      stdout += text;
      const id = /"type":"submitted","jobId":"([^"]+)"/.exec(stdout)?.[1];
      if (id !== undefined) resolve(id);
    });
  });
  return Promise.race([said, command.ended.then(() => undefined)]);
}

function summaryOf(stdout: string): Summary | undefined {
  const lines = parseLines(stdout.slice(0, stdout.lastIndexOf('\n') + 1)) as Array<{ readonly type: string }>;
  // The command wrote it under this type.
  return lines.find(({ type }) => type === 'summary') as Summary | undefined;
}

/** The rows that the command has written. */
const rowsIn = async (file: string): Promise<readonly Row[]> => parseLines(await readFile(file, 'utf8')) as Row[];

async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
  await exited;
  clearTimeout(timer);
}
