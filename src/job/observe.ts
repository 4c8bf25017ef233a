import { mapBounded } from '../concurrency.ts';
import { settledInPart } from '../folder/read.ts';
import { readDigest } from '../folder/read-digest.ts';
import { Bitmap } from '../format/bitmap.ts';
import type { Digest } from '../format/digest.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { type ChunkPlace, type JobRef, partSegmentsPrefix, segmentInPart } from '../format/paths.ts';
import type { TickRecord } from '../format/tick.ts';
import { limits } from '../limits.ts';
import type { Clock, InputReader, Log, ObjectStore, Queue } from '../ports.ts';
import type { TaskRegistry } from '../task/registry.ts';
import type { Task } from '../task/task.ts';
import { openParts } from './count-settled.ts';
import { type CutAnswer, cutInput, uncut } from './cut.ts';
import type { Observed } from './turn.ts';

/** What a turn needs to see how its job stands. */
export interface ObserveDeps {
  readonly store: ObjectStore;
  readonly input: InputReader;
  readonly workQueue: Queue;
  readonly tasks: TaskRegistry;
  readonly clock: Clock;
  /** The queue counts its messages exactly, those in hand too, as that of this machine; SQS's own count is some time behind. @default false */
  readonly isDepthExact?: boolean;
  readonly log: Log;
}

/** Heads of results that are read at once. */
const parallel = 32;

/** Looks at a job's folder and queue, and cuts its input on if that is not done. */
export async function observe(
  deps: ObserveDeps,
  manifest: Manifest,
  last: TickRecord | undefined,
  options: { readonly until: number; readonly inline?: boolean; readonly resendAsked: boolean },
): Promise<Omit<Observed, 'limits'>> {
  const { store } = deps;
  const before = last?.cut ?? uncut;
  const task = await loadedTask(deps, manifest);
  // Once the input is cut, a task that was taken away fails its items, and their job goes on to its end.
  const { progress, problem }: CutAnswer = before.done
    ? { progress: before }
    : task === undefined
      ? { progress: before, problem: unknownTask(manifest) }
      : tooSlow(last, await cutInput(deps, { manifest, task, progress: before, until: options.until }));
  const settled = await newlySettled(store, manifestFolder(manifest), last);
  // An inline job's chunk is not in the queue.
  const queueDepth = options.inline === true ? 0 : await deps.workQueue.depth();
  return {
    cut: progress,
    settled,
    segments: settled.length === 0 ? await lookAtSegments(store, manifestFolder(manifest), last) : undefined,
    queueDepth,
    isNobodyAtWork: deps.isDepthExact === true && queueDepth === 0 && !manifest.inline,
    resendAsked: options.resendAsked,
    inline: options.inline === true,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A task whose module fails fails its items, as one that is not there; why is told by the log. */
async function loadedTask({ tasks, log }: ObserveDeps, { jobId, task }: Manifest): Promise<Task | undefined> {
  return tasks.load(task).catch((error: unknown) => {
    log('error', `the task "${task}" cannot be loaded`, { jobId, error: String(error) });
    return undefined;
  });
}

function unknownTask(manifest: Manifest): NonNullable<CutAnswer['problem']> {
  return { code: 'UnknownTask', message: `the deployed stack has no task "${manifest.task}"; deploy it again` };
}

/** A part that no turn can check in its time would be begun for ever: it refuses its job instead. */
function tooSlow(last: TickRecord | undefined, answer: CutAnswer): CutAnswer {
  const { progress, problem } = answer;
  const stepped = progress.parts.length > (last?.cut.parts.length ?? 0);
  const isStuck = !stepped && (last?.turnsWithoutPart ?? 0) + 1 >= limits.turnsWithoutPart;
  if (problem !== undefined || progress.done || !isStuck) return answer;
  const seconds = limits.turnMs / 1_000;
  const message = `expected the items behind line ${progress.lines} to be checked part by part within ${seconds} s each, got no part in ${limits.turnsWithoutPart} turns; make the task's schema faster`;
  return { progress, problem: { code: 'InvalidInput', message } };
}

/** Segments of the open parts: a worker stores one at least once a lease, so a further one is a sign that the job goes on. */
async function lookAtSegments(
  store: ObjectStore,
  job: JobRef,
  last: TickRecord | undefined,
): Promise<NonNullable<Observed['segments']>> {
  const parts = openParts(last);
  const lists = await mapBounded(parts, parallel, (part) => store.list(partSegmentsPrefix(job, part)));
  const waits = lists.map((keys, n) => longestWait(keys, countedIn(last, parts[n] ?? 0)));
  return { count: lists.flat().length, waitMs: Math.max(0, ...waits) };
}

/** For how long the chunks of a part wait that were handed over and not begun since: a worker that begins one stores a further segment. */
function longestWait(keys: readonly string[], settled: Bitmap): number {
  const newest = new Map<number, { readonly gen: number; readonly waitMs: number }>();
  for (const { chunk, gen, waitMs } of keys.map(segmentInPart)) {
    const known = newest.get(chunk);
    if (known === undefined || gen > known.gen) newest.set(chunk, { gen, waitMs });
    else if (gen === known.gen) newest.set(chunk, { gen, waitMs: Math.min(waitMs, known.waitMs) });
  }
  return [...newest].reduce((longest, [chunk, { waitMs }]) => Math.max(longest, settled.has(chunk) ? 0 : waitMs), 0);
}

/** Chunks of a part that were counted. */
const countedIn = (last: TickRecord | undefined, part: number): Bitmap =>
  Bitmap.of(last?.cut.parts[part]?.chunks ?? 0, last?.counted[part]);

async function newlySettled(
  store: ObjectStore,
  job: JobRef,
  last: TickRecord | undefined,
): Promise<Array<ChunkPlace & { digest: Digest }>> {
  const places: ChunkPlace[] = [];
  for (const part of openParts(last)) {
    const counted = countedIn(last, part);
    for (const chunk of await settledInPart(store, job, part)) if (!counted.has(chunk)) places.push({ part, chunk });
  }
  return mapBounded(places, parallel, async (place) => ({ ...place, digest: await readDigest(store, job, place) }));
}
