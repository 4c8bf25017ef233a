import { type ChunkSize, chunkSize, isFull, oneChunk, partOf } from '../folder/chunk-size.ts';
import { type Chunk, type ChunkTable, type Cut, chunkTableFormat, cutFormat } from '../format/chunk.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { cutKey, partKey } from '../format/paths.ts';
import type { CutProgress } from '../format/tick.ts';
import { checkEntry } from '../input/entry.ts';
import { type Line, lineBatches } from '../input/lines.ts';
import { plainLines } from '../input/plain-lines.ts';
import { limits } from '../limits.ts';
import type { Clock, InputReader, ObjectStore } from '../ports.ts';
import { checkMark } from '../task/check-mark.ts';
import { UsageError } from '../task/errors.ts';
import type { Task } from '../task/task.ts';

/** No part has been written yet. */
export const uncut: CutProgress = { parts: [], offset: 0, lines: 0, items: 0, chunks: 0, done: false };

/** What cutting needs of the world. */
export interface CutDeps {
  readonly store: ObjectStore;
  readonly input: InputReader;
  readonly clock: Clock;
}

/** How far cutting came, and why the input is refused if it is. */
export interface CutAnswer {
  readonly progress: CutProgress;
  readonly problem?: { readonly code: string; readonly message: string };
}

/**
 * Cuts the input into chunks, from where `progress` ends to the end or to the last whole part before `until`;
 * each item is checked against the task's schema, unless this version of the task has checked the very object before it was stored;
 * `cut.json` is written when the whole input is valid and counted.
 */
export async function cutInput(
  deps: CutDeps,
  job: { readonly manifest: Manifest; readonly task: Task; readonly progress: CutProgress; readonly until: number },
): Promise<CutAnswer> {
  const { manifest } = job;
  let { progress } = job;
  try {
    for await (const part of cutParts(deps, job)) {
      const table: ChunkTable = { v: 1, chunks: part.chunks };
      await deps.store.put(partKey(manifestFolder(manifest), progress.parts.length), chunkTableFormat.encode(table));
      progress = {
        parts: [...progress.parts, { first: progress.items, chunks: part.chunks.length }],
        offset: part.offset,
        lines: part.lines,
        items: progress.items + part.items,
        chunks: progress.chunks + part.chunks.length,
        done: part.last,
        ...canaryOf(progress, part, manifest),
      };
      if (!progress.done && deps.clock.now() >= job.until) return { progress };
    }
  } catch (error) {
    if (error instanceof OutOfTime) return { progress };
    if (error instanceof UsageError) return { progress, problem: { code: error.code, message: error.message } };
    throw error;
  }
  if (progress.items === 0)
    return { progress, problem: { code: 'EmptyInput', message: 'expected at least one item, got an empty input' } };
  const cut: Cut = { v: 1, items: progress.items, chunks: progress.chunks, parts: progress.parts };
  await deps.store.put(cutKey(manifestFolder(manifest)), cutFormat.encode(cut));
  return { progress: { ...progress, done: true } };
}

/** Thrown within a part when the turn's time is over; the part is cut again by the next turn. */
class OutOfTime extends Error {}

interface Part {
  readonly chunks: readonly Chunk[];
  readonly items: number;
  /** Where the next part begins. */
  readonly offset: number;
  readonly lines: number;
  readonly last: boolean;
}

async function* cutParts(
  deps: CutDeps,
  job: { readonly manifest: Manifest; readonly task: Task; readonly progress: CutProgress; readonly until: number },
): AsyncGenerator<Part> {
  const { manifest, task, progress } = job;
  const size = sizeOf(manifest);
  const { canary } = manifest.options.limits ?? {};
  const { offset } = progress;
  let chunks: Chunk[] = [];
  let partStart = offset;
  let items = 0;
  let index = progress.items;
  let end = offset;
  let lines = progress.lines;
  let open: { start: number; first: number; count: number; end: number; part: number } | undefined;
  let part = 0;

  const closeChunk = (): void => {
    if (open !== undefined) chunks.push({ start: open.start, first: open.first, count: open.count, end: end - 1 });
    open = undefined;
  };
  const takePart = (last: boolean): Part => {
    const part = { chunks, items, offset: end, lines, last };
    chunks = [];
    items = 0;
    partStart = end;
    return part;
  };

  /** Answers the part that is full before this line, if one is. */
  const add = (line: Omit<Line, 'bytes'>): Part | undefined => {
    let full: Part | undefined;
    if (open !== undefined && (isFull(open, line.end, size) || index === canary)) {
      closeChunk();
      if (chunks.length >= limits.partChunks || line.end - partStart > limits.partBytes) full = takePart(false);
      else if (deps.clock.now() >= job.until) throw new OutOfTime();
    }
    if (open === undefined) {
      part = partOf(size, { start: line.start, before: chunks.length, last: part });
      open = { start: line.start, first: index, count: 0, end, part };
    }
    open.count++;
    open.end = line.end;
    index++;
    items++;
    end = line.end;
    lines = line.number;
    return full;
  };

  const { input } = manifest;
  const bytes = offset < input.bytes ? deps.input.stream(input, { start: offset }) : nothing();
  const from = { offset, lines };
  if (input.checked !== undefined && input.checked === checkMark(task, input.format)) {
    for await (const found of plainLines(bytes, from)) {
      for (const line of found) {
        const full = add(line);
        if (full !== undefined) yield full;
      }
    }
  } else {
    for await (const found of lineBatches(bytes, from)) {
      for (const line of found) {
        const checked = checkEntry(line, input.format, task);
        if (checked !== undefined) await checked;
        const full = add(line);
        if (full !== undefined) yield full;
      }
    }
  }
  closeChunk();
  if (chunks.length > 0) yield takePart(true);
}

/** How many chunks the canary's items are, once that is known. */
function canaryOf(
  { canaryChunks, chunks }: CutProgress,
  part: Part,
  { options }: Manifest,
): Pick<CutProgress, 'canaryChunks'> {
  const canary = options.limits?.canary;
  if (canary === undefined) return {};
  if (canaryChunks !== undefined) return { canaryChunks };
  const at = part.chunks.findIndex(({ first }) => first >= canary);
  return at === -1 ? {} : { canaryChunks: chunks + at };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** An inline job is one chunk. */
function sizeOf({ inline, input: { bytes }, workers, options }: Manifest): ChunkSize {
  if (inline) return oneChunk;
  return chunkSize({ bytes, workers, ...options });
}
