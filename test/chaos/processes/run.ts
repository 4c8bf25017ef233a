import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CliProcess, startCli } from '../../cli/cli-process.ts';
import { check, type DoneAct, repeats } from './check.ts';
import { checkLimits, LimitTimeline } from './check-limits.ts';
import { end, jobOf, rowsIn, within } from './command.ts';
import { openDownstream } from './downstream.ts';
import { evidenceOf, reporting } from './evidence.ts';
import { followFirst, followPass } from './follow.ts';
import { startOwner } from './owner-process.ts';
import { flagsOf, isSteering, perform } from './perform.ts';
import { type Act, planOf } from './plan.ts';

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

/** For a job's first call it is waited so long: its fan-out, and what looks for one that died, are met by faults as well. */
const calledWithinMs = 30_000;

const tasks = join(import.meta.dirname, 'tasks');

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
  const owner = await startOwner([state, tasks, String(seed), String(plan.faceOdds)], {
    usesSdk: plan.usesSdk,
    nodeOptions: reporting(folder),
    onFault: (kind) => {
      lastFaultAt = Date.now();
      faceFaults++;
      count(`face: ${kind}${plan.usesSdk ? ', met by the SDK too' : ''}`);
    },
  });
  const startedAt = Date.now();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const input = join(folder, 'items.ndjson');
  await writeFile(
    input,
    Array.from({ length: plan.items }, (_, n) => `${JSON.stringify({ n, url: downstream.url })}\n`).join(''),
  );
  const rowsFile = join(folder, 'rows.ndjson');
  const output = ['--json', '--out', rowsFile, ...target];
  let isKept = false;
  let command: CliProcess;
  const start = (args: readonly string[]): CliProcess => {
    command = startCli([...args, ...output], { nodeOptions: reporting(folder) });
    return command;
  };
  const run = (): CliProcess => start(['run', 'ask', '--input', input, ...flagsOf(plan.limits)]);
  command = run();
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
    const done: DoneAct[] = [];
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
    const disturbing = (async () => {
      const early = plan.acts.filter((act) => act.early);
      await performAt(early, begunAt);
      // Faults end also where nothing is called, or it would be put down to them.
      await within(Promise.race([downstream.firstCall(0), command.ended]), calledWithinMs);
      const calledAt = Date.now();
      const late = plan.acts.filter((act) => !act.early);
      await performAt(late, calledAt);
      await sleep(Math.max(0, calledAt + plan.calmAfterMs - Date.now()));
      if (owner.child.connected) owner.child.send('calm');
    })();
    const following = { jobId, start, count, quietSince: () => Math.max(lastFaultAt, begunAt) };
    const summary = await followFirst(command, following);
    const endedAfterMs = Date.now() - Math.max(lastFaultAt, begunAt);
    await disturbing;
    const told = { items: plan.items, acts: done, faceFaults };
    const judge = async (pass: number, ended: typeof summary): Promise<readonly string[]> =>
      typeof ended === 'string'
        ? [ended]
        : check({
            ...told,
            pass,
            summary: ended,
            rows: await rowsIn(rowsFile),
            calls: downstream.calls,
            lagMs: lag.max / 1e6,
          });
    const violations = [...(await judge(0, summary))];
    if (violations.length === 0) violations.push(...checkLimits(downstream.calls, timeline.spans, lag.max / 1e6));
    const { redrive } = plan;
    if (redrive !== undefined && violations.length === 0 && plan.items > 10) {
      count(`redrive by ${redrive.by}`);
      lastFaultAt = Date.now();
      const pass = followPass(redrive.by === 'code' ? ['--code', 'Refused'] : ['--all-failed'], following);
      const calledAt = Promise.race([downstream.firstCall(1), pass]).then(() => Date.now());
      const redriving = calledAt.then((at) => performAt([redrive.act], at));
      violations.push(...(await judge(1, await pass)));
      await redriving;
    }
    if (violations.length > 0) {
      isKept = true;
      violations.push(`its files are kept in ${folder}\n${await evidenceOf({ folder, state, command, owner })}`);
    }
    return {
      seed,
      items: plan.items,
      calls: downstream.calls.length,
      repeated: repeats(downstream.calls).filter(({ call }) => call.answeredAt !== undefined).length,
      faults,
      violations,
      tookMs: Date.now() - startedAt,
      endedAfterMs: Math.max(0, endedAfterMs),
    };
  } finally {
    downstream.close();
    await end(command.child);
    await end(owner.child);
    if (!isKept) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
