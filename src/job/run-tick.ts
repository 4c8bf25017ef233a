import { controlOf } from '../folder/control.ts';
import { hedgedReads } from '../folder/hedged-reads.ts';
import { lastTick, readControl, readManifest, readSummary, readTick } from '../folder/read.ts';
import { unmarkRunning } from '../folder/running.ts';
import type { Control } from '../format/control.ts';
import { emptyDigest } from '../format/digest.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { encodeMessage, folderOf, jobFields, messageVersion, type TickMessage } from '../format/message.ts';
import { settledMetrics } from '../format/metrics.ts';
import { type JobFolder, summaryKey, tickKey } from '../format/paths.ts';
import { type Summary, summaryFormat } from '../format/summary.ts';
import { type TickRecord, tickFormat } from '../format/tick.ts';
import { limits } from '../limits.ts';
import type { InputReader, Log, Queue } from '../ports.ts';
import { needsSeats } from '../task/job-limits.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { changeSeats } from './change-seats.ts';
import { doEffects, type EffectDeps, ring } from './effects.ts';
import { observe } from './observe.ts';
import { lookAtControl, observeSeats } from './observe-seats.ts';
import { stopJob } from './stop-job.ts';
import { summarize } from './summarize.ts';
import { turn } from './turn.ts';
import { ownAgainAt } from './turn-writer.ts';

/** What a turn needs of the world. */
export interface TickDeps extends EffectDeps {
  readonly input: InputReader;
  readonly tickQueue: Queue;
  readonly tasks: TaskRegistry;
  readonly log: Log;
  /** How long a worker holds a message without renewing it. */
  readonly leaseSeconds: number;
}

/** What became of a tick: it is done with, or it must stay invisible for some time. */
export type TickAnswer = { readonly kind: 'done' } | { readonly kind: 'later'; readonly delaySeconds: number };

const done: TickAnswer = { kind: 'done' };

/** Machines' clocks are apart by less. */
const clocksDifferMs = 30_000;

/** Options of a turn that the fan-out takes itself. */
export interface TickOptions {
  /** Milliseconds since the epoch when the turn stops to cut. */
  readonly until: number;
  /** The caller runs the job's only chunk. @default false */
  readonly inline?: boolean;
}

/** Takes turn `n` of a job: observes, decides by {@link turn}, records, and then does what the record says. */
export async function runTick(world: TickDeps, tick: TickMessage, options: TickOptions): Promise<TickAnswer> {
  const { clock } = world;
  const store = hedgedReads(world.store, clock);
  const deps = { ...world, store };
  const folder = folderOf(tick);
  const read = Promise.all([readManifest(store, folder), readSummary(store, folder)]);
  const [[manifest, summary], last, rung] = await Promise.all([
    read,
    lastTick(store, folder),
    tick.resend === true ? ringAll(deps, folder, read) : 0,
  ]);
  if (manifest === undefined) {
    deps.log('warn', 'a tick of a job without a manifest was dropped', { jobId: tick.job, n: tick.n });
    return done;
  }
  if (summary !== undefined) return done;
  // Turns before the last one had their effects; a tick that skips turns is taken as the next turn.
  if (last !== undefined && last.n > tick.n) return done;
  if (last?.n === tick.n) return repeatTurn(deps, manifest, last);
  const { control, isControlSeen } = await lookAtControl(store, folder);
  const isProven = last === undefined || tick.after === last.writer || !hasSends(last);
  // Where everything is sent again or cancelled anyway, nothing of the last record can be missed.
  if (!isProven && tick.resend !== true && control?.state !== 'cancelled') {
    const now = clock.now();
    const provenAt = nextAtOf(last, now) + limits.askedTickGraceMs;
    if (now < provenAt) return { kind: 'later', delaySeconds: secondsUntil(provenAt, now) };
    await repeatEffects(deps, manifest, last);
  }
  const steered = control ?? controlOf(manifest);
  const seen = await observe(deps, manifest, last, { ...options, resendAsked: tick.resend === true });
  const seats = needsSeats(steered.table.limits) ? await observeSeats(store, manifest, steered) : undefined;
  const observed = { ...seen, limits: steered.table.limits, isControlSeen, ...(seats === undefined ? {} : { seats }) };
  const record = turn(last, observed, control, {
    now: clock.now(),
    writer: deps.writer,
    leaseMs: 1_000 * deps.leaseSeconds,
  });
  const etag = await store.put(tickKey(folder, record.n), tickFormat.encode(record), {
    condition: { ifAbsent: true },
  });
  if (etag === undefined) {
    const winner = await readTick(store, folder, record.n);
    if (winner !== undefined && winner.writer !== deps.writer) return repeatTurn(deps, manifest, winner);
  }
  const metrics = settledMetrics(last?.totals ?? emptyDigest, record.totals, record.end !== undefined);
  deps.log('info', 'a turn was taken', { jobId: tick.job, n: record.n, metrics });
  await doEffects(deps, manifest, record, { inline: options.inline === true, rung });
  if (record.end === undefined) {
    await stopJob(deps, manifest, { record, control: steered });
    await changeSeats(deps, manifest, { record, control: steered, seats: seats?.seats ?? [] });
  }
  await endOrGoOn(deps, manifest, record, steered);
  return done;
}

/**
 * Rings for all seats of a limited job, and answers how many they are: whoever resumes it need not wait for all that a turn looks at, and
 * bells are harmless at any time.
 */
async function ringAll(
  deps: TickDeps,
  folder: JobFolder,
  read: Promise<readonly [Manifest | undefined, Summary | undefined]>,
): Promise<number> {
  const [control, [manifest, summary]] = await Promise.all([readControl(deps.store, folder), read]);
  if (manifest === undefined || summary !== undefined) return 0;
  const { state, table } = control ?? controlOf(manifest);
  if (state !== 'running' || !needsSeats(table.limits)) return 0;
  await ring(deps, folder, [...Array(table.seats).keys()]);
  return table.seats;
}

/** Whether a record sends chunks: without proof that they went out, they may be lost. */
const hasSends = (record: TickRecord): boolean =>
  record.limited !== true && (record.resend || record.send[1] > record.send[0]);

/** When the turn after a record is due; a record of a time to come is of a clock that was set, and its turn overdue. */
const nextAtOf = ({ at, nextAt }: TickRecord, now: number): number => (at > now + clocksDifferMs ? 0 : nextAt);

const secondsUntil = (at: number, now: number): number =>
  Math.min(limits.maxDelaySeconds, Math.max(1, Math.ceil((at - now) / 1_000)));

async function repeatEffects(deps: TickDeps, manifest: Manifest, record: TickRecord): Promise<void> {
  const { jobId } = manifest;
  deps.log('warn', 'a turn was lost: its effects are done again', { jobId, n: record.n });
  await doEffects(deps, manifest, record, { again: true, inline: false });
}

/** The rule for twins: nothing while the next turn stands or may still come; its effects again when it is overdue, or failed here before. */
async function repeatTurn(deps: TickDeps, manifest: Manifest, record: TickRecord): Promise<TickAnswer> {
  const { store, clock } = deps;
  if ((await readTick(store, manifestFolder(manifest), record.n + 1)) !== undefined) return done;
  const now = clock.now();
  const overdueAt = Math.min(
    nextAtOf(record, now) + limits.overdueMs,
    ownAgainAt(record, deps.writer) ?? Number.POSITIVE_INFINITY,
  );
  if (now < overdueAt) return { kind: 'later', delaySeconds: secondsUntil(overdueAt, now) };
  await repeatEffects(deps, manifest, record);
  await endOrGoOn(deps, manifest, record);
  return done;
}

/** Ends the job, or sends the next tick, which is the proof that the record's effects are done: so it goes out last. */
async function endOrGoOn(deps: TickDeps, manifest: Manifest, record: TickRecord, acted?: Control): Promise<void> {
  if (record.end !== undefined) {
    await endJob(deps, summarize(manifest, record));
    return;
  }
  const folder = manifestFolder(manifest);
  const next: TickMessage = {
    v: messageVersion,
    kind: 'tick',
    ...jobFields(folder),
    n: record.n + 1,
    after: record.writer,
  };
  const plannedSeconds = Math.max(0, Math.round((record.nextAt - record.at) / 1_000));
  const isOld = plannedSeconds > soonSeconds && acted !== undefined && (await isSteeredSince(deps, folder, acted));
  const delaySeconds = isOld ? soonSeconds : plannedSeconds;
  const send = (tick: TickMessage, seconds: number): Promise<void> =>
    deps.tickQueue.send([encodeMessage(tick)], { group: folder.id, delaySeconds: seconds });
  // A turn that cuts on may take all of its time. That of a job that pauses is far away, and the fan-out's own next one guards itself.
  const lateSeconds = delaySeconds + (record.cut.done ? limits.lateTurnSeconds : limits.tickTimeoutSeconds);
  const isGuarded = lateSeconds < limits.maxDelaySeconds && !manifest.inline;
  await Promise.all([send(next, delaySeconds), isGuarded && send({ ...next, guard: true }, lateSeconds)]);
}

/** A turn that comes so soon sees by itself what it was steered to meanwhile. */
const soonSeconds = 2;

/**
 * Whether somebody paused, resumed, or cancelled the job after the turn had read its control: the tick that they sent may have been one of
 * this very turn, and a paused job's next one is a quarter of an hour away. Who steers later than this look finds the record, and sends the next.
 */
async function isSteeredSince({ store }: TickDeps, folder: JobFolder, acted: Control): Promise<boolean> {
  const control = await readControl(store, folder);
  return control !== undefined && (control.state !== acted.state || control.generation !== acted.generation);
}

/** Writes the summary, and takes the job's marker away; one that stays is removed by whoever meets it. */
export async function endJob({ store, log }: Pick<TickDeps, 'store' | 'log'>, summary: Summary): Promise<void> {
  const { jobId, pass = 0 } = summary;
  const folder = { id: jobId, pass };
  await store.put(summaryKey(folder), summaryFormat.encode(summary), { condition: { ifAbsent: true } });
  await unmarkRunning(store, folder).catch((error: unknown) =>
    log('warn', 'the marker of a job that has ended was not removed', { jobId, error: String(error) }),
  );
}
