import { readSegments } from '../folder/read-rows.ts';
import { folderOf, type WorkMessage } from '../format/message.ts';
import type { Row } from '../format/outcome.ts';
import { segmentGen, segmentNanoUsd, segmentsPrefix } from '../format/paths.ts';
import type { ObjectStore } from '../ports.ts';

/** What earlier workers have left of a chunk. */
export interface KeptRows {
  /** A later message goes on with the chunk: nothing is to be done for this one. */
  readonly goesOnElsewhere: boolean;
  /** Segments that hold rows which the message does not know of. */
  readonly segments: readonly string[];
  /** Those rows, each item once. */
  readonly rows: readonly Row[];
  /** What those segments say was spent, in 1e-9 US dollars. */
  readonly nanoUsd: number;
  /** All segments of the chunk: one that comes later was stored by another worker. */
  readonly known: ReadonlySet<string>;
}

/** Names of a chunk's segments. */
export async function listSegments(store: ObjectStore, message: WorkMessage): Promise<readonly string[]> {
  const prefix = segmentsPrefix(folderOf(message), { part: message.part, chunk: message.chunk });
  return (await store.list(prefix)).map((key) => key.slice(prefix.length).replace(/\.ndjson$/, ''));
}

/** Reads the rows that earlier workers of a message stored before they went; where it is the only one of its chunk, all rows are theirs. */
export async function readKeptRows(
  store: ObjectStore,
  message: WorkMessage,
  { isOnlyOne = false }: { readonly isOnlyOne?: boolean } = {},
): Promise<KeptRows> {
  const { part, chunk, only, first, count } = message;
  const names = await listSegments(store, message);
  const known = new Set(names);
  if (!isOnlyOne && names.some((name) => segmentGen(name) > message.gen)) {
    return { goesOnElsewhere: true, segments: [], rows: [], nanoUsd: 0, known };
  }
  const left = new Set(only?.map(([index]) => index) ?? Array.from({ length: count }, (_, i) => first + i));
  const named = new Set(message.segments ?? []);
  const segments: string[] = [];
  const rows: Row[] = [];
  let nanoUsd = 0;
  // One after another, since all of them together may be larger than a function's memory.
  for (const name of names.filter((one) => !named.has(one))) {
    const [found = []] = await readSegments(store, folderOf(message), { part, chunk }, [name]);
    const news = found.filter((row) => left.delete(row.index));
    // One without rows may tell of attempts that came to nothing.
    if (news.length === 0 && (found.length > 0 || segmentNanoUsd(name) === 0)) continue;
    segments.push(name);
    nanoUsd += segmentNanoUsd(name);
    for (const row of news) rows.push(row);
  }
  return { goesOnElsewhere: false, segments, rows, nanoUsd, known };
}
