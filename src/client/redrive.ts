import { readJobRows, readJobSummary, readPasses } from '../folder/passes.ts';
import { readCut, readTable } from '../folder/read.ts';
import type { Chunk } from '../format/chunk.ts';
import { countRow, type Digest, digestItems, emptyDigest } from '../format/digest.ts';
import { indexListFormat, stepsOf } from '../format/index-list.ts';
import { newJobId } from '../format/job-id.ts';
import { toJson } from '../format/json.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Row } from '../format/outcome.ts';
import { passIndexesKey, passInputKey } from '../format/paths.ts';
import { readEntry } from '../input/entry.ts';
import { splitLines } from '../input/lines.ts';
import { UsageError } from '../task/errors.ts';
import { type JobLimitsInput, limitsOver, parseLimits } from '../task/job-limits.ts';
import { requireManifest } from './follow.ts';
import type { Stack, SteerDeps } from './stack.ts';
import { startUnderToken } from './start.ts';

/** Which items run again, and how; limits that are absent are those of the pass before. */
export interface RedriveOptions {
  /** Items that failed for one of these reasons, as `HttpStatus404` or `Timeout`. @default all that failed */
  readonly codes?: readonly string[] | undefined;
  /** Items that failed with one of these HTTP statuses. @default all that failed */
  readonly statuses?: readonly number[] | undefined;
  /** Also the items that were cancelled. @default false */
  readonly cancelled?: boolean | undefined;
  /** Whether calls carry the idempotency key of the first pass: a downstream that remembers it may answer what it answered then. @default false */
  readonly sameKey?: boolean | undefined;
  /** Calls at once, of all workers together: the same as `limits.maxConcurrency`. */
  readonly concurrency?: number | undefined;
  /** What holds for the pass as a whole; each that is absent is as in the pass before. */
  readonly limits?: JobLimitsInput | undefined;
  /** Limit of one attempt in milliseconds, 1 to 240,000. */
  readonly timeoutMs?: number | undefined;
  /** Tries of an item, the first included, 1 to 20. */
  readonly attempts?: number | undefined;
  /** Ends the selection, not the pass once it runs. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** What a redrive needs of a stack. */
export type RedriveDeps = SteerDeps & Pick<Stack, 'random' | 'bucket' | 'input' | 'upload'>;

/** Selects items of a job that has ended, and starts the pass that runs them again; answers how many they are. */
export async function redriveJob(stack: RedriveDeps, jobId: string, options: RedriveOptions): Promise<number> {
  const { store } = stack;
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const own = await requireManifest(store, jobId);
  // Read once: a pass that somebody else begins meanwhile has rows that do not stand yet, and takes this one's place.
  const passes = await readPasses(store, jobId);
  if ((await readJobSummary(store, jobId, passes)) === undefined) {
    const message = `expected a job that has ended, got ${jobId}, which is still running; "fanloop watch ${jobId}" follows it`;
    throw new UsageError('InvalidRequest', message);
  }
  const before = passes.at(-1) ?? own;
  const folder = { id: jobId, pass: passes.length + 1 };
  // Two who select at once write apart; the manifest decides whose selection runs.
  const key = passInputKey(folder, newJobId(stack.clock.now(), stack.random));
  const selection = new Selection(options);
  await stack.upload(key, selection.blocks(stack, { manifest: own, passes, signal }), { signal });
  const items = digestItems(selection.replaced);
  if (items === 0) {
    await store.delete(key);
    throw new UsageError('EmptyInput', `expected items of job ${jobId} that ${selection.wanted}, got none`);
  }
  await store.put(passIndexesKey(key), indexListFormat.encode({ v: 1, steps: stepsOf(selection.indexes) }));
  const { concurrency, timeoutMs, attempts } = options;
  const limits = limitsOver(before.options.limits, {
    ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
    ...(options.limits === undefined ? {} : parseLimits(options.limits)),
  });
  const request = {
    task: own.task,
    input: `s3://${stack.bucket}/${key}`,
    format: 'entries' as const,
    options: {
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      perWorker: before.options.concurrency,
      timeoutMs: timeoutMs ?? before.options.timeoutMs,
      attempts: attempts ?? before.options.attempts,
      ...(before.options.withItem === true ? { withItem: true } : {}),
      ...(before.options.secretHeaders === undefined ? {} : { secretHeaders: before.options.secretHeaders }),
    },
    redrive: {
      job: jobId,
      pass: folder.pass,
      replaced: selection.replaced,
      ...(options.sameKey === true ? { sameKey: true } : {}),
    },
  };
  await startUnderToken(stack, folder, request, signal);
  return items;
}

/** A block of lines this long is passed on to the upload. */
const blockCharacters = 262_144;

/** The items that are chosen, as they are found. */
class Selection {
  readonly #options: RedriveOptions;
  readonly indexes: number[] = [];
  /** What the outcomes count that will be replaced. */
  replaced: Digest = emptyDigest;

  constructor(options: RedriveOptions) {
    this.#options = options;
  }

  /** What the items have in common, in words. */
  get wanted(): string {
    const { codes = [], statuses = [], cancelled = false } = this.#options;
    const reasons = [...codes, ...statuses.map((status) => `status ${status}`)];
    const failed = reasons.length === 0 ? 'failed' : `failed with ${reasons.join(' or ')}`;
    return cancelled ? `${failed} or were cancelled` : failed;
  }

  /** Finds the items among the rows of the last of the passes, reads them again from the job's input, and writes them as entries. */
  async *blocks(
    stack: RedriveDeps,
    of: { readonly manifest: Manifest; readonly passes: readonly Manifest[]; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const { manifest, passes, signal } = of;
    const chunks = chunksOf(stack, manifest.jobId);
    let chunk = await chunks.next();
    let block = '';
    for await (const rows of readJobRows(stack.store, manifest.jobId, passes)) {
      signal.throwIfAborted();
      const chosen = new Map(rows.filter((row) => this.#isWanted(row)).map((row) => [row.index, row]));
      const [first] = rows;
      if (chosen.size === 0 || first === undefined) continue;
      while (chunk.done !== true && chunk.value.first + chunk.value.count <= first.index) chunk = await chunks.next();
      if (chunk.done === true) throw new Error(`expected a chunk with item ${first.index} of ${manifest.jobId}`);
      for await (const line of this.#lines(stack, { manifest, chunk: chunk.value, chosen })) {
        block += line;
        if (block.length < blockCharacters) continue;
        yield Buffer.from(block);
        block = '';
      }
    }
    if (block !== '') yield Buffer.from(block);
  }

  async *#lines(
    stack: RedriveDeps,
    at: { readonly manifest: Manifest; readonly chunk: Chunk; readonly chosen: ReadonlyMap<number, Row> },
  ): AsyncGenerator<string> {
    const { manifest, chunk, chosen } = at;
    const { start, end } = chunk;
    let index = chunk.first;
    for await (const line of splitLines(stack.input.stream(manifest.input, { start, end }), { offset: start })) {
      const row = chosen.get(index);
      if (row !== undefined) {
        this.indexes.push(index);
        this.replaced = countRow(this.replaced, row, 0);
        yield `${toJson({ ...readEntry(line, manifest.input.format), index })}\n`;
      }
      index++;
    }
  }

  #isWanted(row: Row): boolean {
    const { codes = [], statuses = [], cancelled = false } = this.#options;
    if (row.status === 'cancelled') return cancelled;
    if (row.status === 'succeeded') return false;
    if (codes.length === 0 && statuses.length === 0) return true;
    const { code, status } = row.error;
    return codes.includes(code) || (status !== undefined && statuses.includes(status));
  }
}

async function* chunksOf({ store }: RedriveDeps, jobId: string): AsyncGenerator<Chunk> {
  for (const part of (await readCut(store, jobId))?.parts.keys() ?? []) {
    yield* (await readTable(store, jobId, part))?.chunks ?? [];
  }
}
