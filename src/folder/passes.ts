import { addDigests, type Digest, emptyDigest, subtractOutcomes } from '../format/digest.ts';
import { indexesOf, indexListFormat } from '../format/index-list.ts';
import { toJsonLines } from '../format/json.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { Row } from '../format/outcome.ts';
import { type JobFolder, passIndexesKey } from '../format/paths.ts';
import type { Summary } from '../format/summary.ts';
import type { ObjectStore } from '../ports.ts';
import { readManifest, readSummary } from './read.ts';
import { readRowLines, readRows } from './read-rows.ts';

const encoder = new TextEncoder();

/** Manifests of a job's passes, the first one first; none for a job that was never driven again. */
export async function readPasses(store: ObjectStore, jobId: string): Promise<readonly Manifest[]> {
  const passes: Manifest[] = [];
  while (true) {
    const manifest = await readManifest(store, { id: jobId, pass: passes.length + 1 });
    if (manifest === undefined) return passes;
    passes.push(manifest);
  }
}

/** The folder in which a job goes on: that of its last pass, else its own. */
export async function newestFolder(store: ObjectStore, jobId: string): Promise<JobFolder> {
  return { id: jobId, pass: (await readPasses(store, jobId)).length };
}

/**
 * How a job ended, all its passes counted as one; undefined while it or its last pass runs.
 *
 * @param passes those that are counted. @default all that there are now
 */
export async function readJobSummary(
  store: ObjectStore,
  jobId: string,
  passes?: readonly Manifest[],
): Promise<Summary | undefined> {
  const own = await readSummary(store, jobId);
  return own === undefined ? undefined : foldPasses(store, own, passes);
}

/** A job's own summary with those of its passes, as {@link readJobSummary}. */
export async function foldPasses(
  store: ObjectStore,
  own: Summary,
  passes?: readonly Manifest[],
): Promise<Summary | undefined> {
  let folded = own;
  for (const manifest of passes ?? (await readPasses(store, own.jobId))) {
    const summary = await readSummary(store, manifestFolder(manifest));
    if (summary === undefined) return undefined;
    // Nothing of it ran, so the outcomes before it still hold.
    if (summary.end !== 'refused') folded = foldPass(folded, manifest.replaced ?? emptyDigest, summary);
  }
  return folded;
}

/** Counts a pass into what stood before it: its outcomes take the place of those that it replaces, its work comes on top. */
export function foldPass(before: Summary, replaced: Digest, pass: Summary): Summary {
  const totals = addDigests(subtractOutcomes(before.totals, replaced), pass.totals);
  return {
    ...before,
    end: totals.cancelled > 0 ? 'cancelled' : 'done',
    totals,
    passes: (before.passes ?? 0) + 1,
    messages: before.messages + pass.messages,
    turns: before.turns + pass.turns,
    chunks: before.chunks + pass.chunks,
    endedAt: pass.endedAt,
    wallMs: before.wallMs + pass.wallMs,
  };
}

/**
 * A job's rows in input order, each item's from the highest pass that has it.
 * Rows come and are ahead as in {@link readRows}.
 *
 * @param passes those whose rows count. @default all that there are now
 */
export async function* readJobRows(
  store: ObjectStore,
  jobId: string,
  passes?: readonly Manifest[],
): AsyncGenerator<readonly Row[]> {
  const cursors = (passes ?? (await readPasses(store, jobId))).map((pass) => new RowCursor(passRows(store, pass)));
  try {
    for await (const rows of readRows(store, jobId)) {
      if (cursors.length === 0) yield rows;
      else yield await latestOf(rows, cursors);
    }
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

/** {@link readJobRows} as the bytes of JSON lines. */
export async function* readJobLines(store: ObjectStore, jobId: string): AsyncGenerator<Uint8Array> {
  if ((await newestFolder(store, jobId)).pass === 0) yield* readRowLines(store, jobId);
  else for await (const rows of readJobRows(store, jobId)) yield encoder.encode(toJsonLines(rows));
}

async function latestOf(rows: readonly Row[], cursors: readonly RowCursor[]): Promise<readonly Row[]> {
  const latest: Row[] = [];
  for (const own of rows) {
    let row = own;
    for (const cursor of cursors) row = cursor.peek(own.index) ?? (await cursor.advance(own.index)) ?? row;
    latest.push(row);
  }
  return latest;
}

/** The rows of a pass under the indexes that its items have in the job. */
async function* passRows(store: ObjectStore, pass: Manifest): AsyncGenerator<readonly Row[]> {
  const list = await store.get(passIndexesKey(pass.input.key));
  if (list === undefined)
    throw new Error(`expected the indexes of pass ${pass.pass} of ${pass.jobId} beside ${pass.input.key}, got none`);
  const indexes = indexesOf(indexListFormat.parse(list.body).steps);
  for await (const rows of readRows(store, manifestFolder(pass))) {
    yield rows.map((row) => ({ ...row, index: indexes[row.index] ?? row.index }));
  }
}

/** Goes through the rows of a pass beside those of the job. */
class RowCursor {
  readonly #batches: AsyncGenerator<readonly Row[]>;
  #rows: readonly Row[] = [];
  #at = 0;
  #ended = false;

  constructor(batches: AsyncGenerator<readonly Row[]>) {
    this.#batches = batches;
  }

  /** The row of an index, when it is the next one in hand. */
  peek(index: number): Row | undefined {
    const row = this.#rows[this.#at];
    return row?.index === index ? row : undefined;
  }

  /** Goes on to an index, and gives its row where the pass has one. */
  async advance(index: number): Promise<Row | undefined> {
    while (true) {
      const row = this.#rows[this.#at];
      if (row !== undefined && row.index >= index) return row.index === index ? row : undefined;
      if (row !== undefined) {
        this.#at++;
        continue;
      }
      if (this.#ended) return undefined;
      const next = await this.#batches.next();
      this.#ended = next.done === true;
      this.#rows = next.done === true ? [] : next.value;
      this.#at = 0;
    }
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }
}
