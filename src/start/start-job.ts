import { readManifest } from '../folder/read.ts';
import { markRunning } from '../folder/running.ts';
import { toJson, toJsonLines } from '../format/json.ts';
import { type JobInput, type Manifest, manifestFormat } from '../format/manifest.ts';
import { inputKey, type JobFolder, manifestKey } from '../format/paths.ts';
import type { FanOutRequest } from '../format/request.ts';
import { asEntry } from '../input/entry.ts';
import { limits } from '../limits.ts';
import { nearestName } from '../nearest.ts';
import type { InputReader, ObjectStore } from '../ports.ts';
import { checkMarkName } from '../task/check-mark.ts';
import { UsageError } from '../task/errors.ts';
import { type JobLimits, limitsOver, requireCanary } from '../task/job-limits.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { parseItem, type Task } from '../task/task.ts';
import { sha256 } from './identity.ts';

/** What a job's start needs to know of its stack. */
export interface StackFacts {
  readonly bucket: string;
  readonly workers: number;
  readonly workerMemoryMb: number;
  readonly bundleHash: string;
}

/** Finds a task by its name. @throws UsageError `UnknownTask` that names the nearest one. */
async function findTask(tasks: TaskRegistry, name: string): Promise<Task> {
  const task = await tasks.load(name).catch((cause: unknown) => {
    throw new UsageError('UnknownTask', `expected the task "${name}" to load, got ${String(cause)}`, { cause });
  });
  if (task !== undefined) return task;
  const names = tasks.names();
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `the tasks are ${names.join(', ')}` : `did you mean "${nearest}"?`;
  throw new UsageError('UnknownTask', `expected the name of a task, got "${name}"; ${hint}`);
}

/**
 * Writes a job's input and manifest; nothing is written when the request is refused.
 *
 * @throws UsageError that says which part of the request does not fit, or `JobExists`.
 */
export async function startJob(
  deps: {
    readonly store: ObjectStore;
    readonly input: InputReader;
    readonly tasks: TaskRegistry;
    readonly now: number;
  },
  job: { readonly jobId: string; readonly request: FanOutRequest; readonly stack: StackFacts },
): Promise<{ readonly manifest: Manifest; readonly isNew: boolean }> {
  const { store, tasks } = deps;
  const { jobId, request, stack } = job;
  const task = await findTask(tasks, request.task);
  const inline = await isInline(request, task);
  // The version, the token, and the wish to wait do not change what the job is.
  const { v: _version, clientToken: _token, wait: _wait, ...asked } = request;
  const hash = await sha256(toJson(asked) ?? '');
  const { redrive } = request;
  const folder = { id: jobId, pass: redrive?.pass ?? 0 };
  const earlier = redrive === undefined ? undefined : await requireEarlier(store, folder);
  const existing = await readManifest(store, folder);
  if (existing !== undefined) return { manifest: sameRequest(existing, hash), isNew: false };

  const {
    perWorker: concurrency = limits.concurrency,
    timeoutMs = task.timeoutMs,
    attempts = task.attempts,
  } = request.options ?? {};
  const jobLimits = limitsOf(request, task);
  const place = () => placeInput(deps, job, hash);
  // An object that is not there refuses the job before anything is written; items have been checked by now.
  const placed = request.items === undefined ? await place() : undefined;
  // The marker stands before the manifest, so that a job which began is always found.
  const [input] = await Promise.all([placed ?? place(), markRunning(store, folder)]);
  const manifest: Manifest = {
    v: 1,
    jobId,
    task: request.task,
    createdAt: new Date(deps.now).toISOString(),
    bundle: stack.bundleHash,
    input,
    options: {
      concurrency,
      timeoutMs,
      attempts,
      ...(Object.keys(jobLimits).length === 0 ? {} : { limits: jobLimits }),
      ...(request.options?.withItem === true ? { withItem: true } : {}),
      ...(request.options?.secretHeaders === undefined ? {} : { secretHeaders: request.options.secretHeaders }),
    },
    workers: stack.workers,
    workerMemoryMb: stack.workerMemoryMb,
    inline,
    ...passFields(redrive, earlier),
    request: hash,
  };
  const etag = await store.put(manifestKey(folder), manifestFormat.encode(manifest), { condition: { ifAbsent: true } });
  if (etag !== undefined) return { manifest, isNew: true };
  const winner = await readManifest(store, folder);
  return { manifest: winner === undefined ? manifest : sameRequest(winner, hash), isNew: false };
}

/** What a manifest says of its pass; nothing for the job itself. */
function passFields(redrive: FanOutRequest['redrive'], earlier: Manifest | undefined): Partial<Manifest> {
  if (redrive === undefined || earlier === undefined) return {};
  const { pass, replaced, sameKey } = redrive;
  const jobCreatedAt = earlier.jobCreatedAt ?? earlier.createdAt;
  return { pass, jobCreatedAt, replaced, ...(sameKey === true ? { sameKey } : {}) };
}

/** A pass runs items of the pass before it again. @throws UsageError `JobNotFound` */
async function requireEarlier(store: ObjectStore, { id, pass }: JobFolder): Promise<Manifest> {
  const earlier = await readManifest(store, { id, pass: pass - 1 });
  if (earlier !== undefined) return earlier;
  throw new UsageError(
    'JobNotFound',
    `expected a job of which pass ${pass} can run items again, got "${id}"; "fanloop jobs" lists them`,
  );
}

/** The request's limits win over the task's own, one by one. @throws UsageError `InvalidOptions` where one says nothing without another */
function limitsOf({ options = {}, redrive }: FanOutRequest, task: Task): JobLimits {
  const { concurrency, limits: asked } = options;
  const own = { ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }), ...asked };
  const limits = limitsOver(task.limits, own);
  // A pass has the limits of the job, which were taken.
  if (redrive === undefined) requireCanary(limits);
  return limits;
}

function sameRequest(existing: Manifest, hash: string): Manifest {
  if (existing.request === hash) return existing;
  if (existing.pass !== undefined) throw passExists(existing.jobId);
  throw jobExists(existing.jobId);
}

function passExists(jobId: string): UsageError {
  return new UsageError(
    'JobExists',
    `somebody else has just begun to run items of job ${jobId} again; "fanloop watch ${jobId}" follows it`,
  );
}

function jobExists(jobId: string): UsageError {
  return new UsageError(
    'JobExists',
    `expected a new client token, got one that job ${jobId} has with another request; use another token`,
  );
}

/** Whether the fan-out might run the job itself, before its items are checked. */
export const mayRunHere = ({ items, wait }: FanOutRequest): boolean =>
  items !== undefined && (wait ?? items.length <= limits.inlineItems);

/** Whether the fan-out runs the job itself; also checks the items, so that bad ones are refused before anything is written. */
async function isInline(request: FanOutRequest, task: Task): Promise<boolean> {
  const { items, wait } = request;
  if (items === undefined) return false;
  if (items.length === 0) throw new UsageError('EmptyInput', 'expected at least one item, got an empty list');
  for (const [index, item] of items.entries()) {
    const entry = request.format === 'entries' ? asEntry(item) : { item };
    if (entry === undefined)
      throw new UsageError('InvalidItem', `items[${index}]: expected {"item": …} or {"invalid": …}, got another value`);
    if ('invalid' in entry) continue;
    const parsed = await parseItem(task, entry.item);
    if (!parsed.ok) throw new UsageError('InvalidItem', `items[${index}]: ${parsed.problem}`);
    const bytes = new TextEncoder().encode(toJson(item)).length;
    if (bytes > limits.maxItemBytes) {
      throw new UsageError(
        'ItemTooLarge',
        `items[${index}]: expected at most ${limits.maxItemBytes} bytes of JSON, got ${bytes}; store large data in S3`,
      );
    }
  }
  if (wait === true && items.length > limits.maxInlineItems) {
    throw new UsageError(
      'InvalidRequest',
      `expected at most ${limits.maxInlineItems} items with wait, got ${items.length}; leave wait out`,
    );
  }
  return mayRunHere(request);
}

async function placeInput(
  deps: { readonly store: ObjectStore; readonly input: InputReader },
  job: { readonly jobId: string; readonly request: FanOutRequest; readonly stack: StackFacts },
  hash: string,
): Promise<JobInput> {
  const { request, jobId, stack } = job;
  if (request.items !== undefined) {
    const body = new TextEncoder().encode(toJsonLines(request.items));
    const key = inputKey(jobId);
    // Never written over: another request under the same token must not change the input of a job that has begun.
    const written = await deps.store.put(key, body, { condition: { ifAbsent: true }, metadata: { request: hash } });
    const existing = written === undefined ? await deps.store.head(key) : undefined;
    if (existing !== undefined && existing.metadata['request'] !== hash) throw jobExists(jobId);
    return {
      bucket: stack.bucket,
      key,
      bytes: body.length,
      etag: written ?? existing?.etag ?? '',
      format: request.format ?? 'ndjson',
    };
  }
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(request.input ?? '') ?? [];
  const head = await deps.input.head({ bucket, key });
  if (head === undefined)
    throw new UsageError(
      'InvalidInput',
      `expected an object at ${request.input}, got none; check the address and upload it first`,
    );
  if (head.bytes === 0)
    throw new UsageError('EmptyInput', `expected at least one item in ${request.input}, got an empty object`);
  const format = request.format ?? (key.endsWith('.txt') ? 'lines' : 'ndjson');
  const checked = head.metadata[checkMarkName];
  return { bucket, key, bytes: head.bytes, etag: head.etag, format, ...(checked === undefined ? {} : { checked }) };
}
