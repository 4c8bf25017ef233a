import type { Chunk } from './chunk.ts';
import { firstGen, jobFields, messageVersion, type WorkMessage } from './message.ts';
import { type ChunkPlace, type JobRef, jobFolder } from './paths.ts';

/** The message that stands for a whole chunk. */
export function workMessage(job: JobRef, at: ChunkPlace & { readonly bounds: Chunk }, resends = 0): WorkMessage {
  const { part, chunk, bounds } = at;
  return {
    v: messageVersion,
    kind: 'work',
    ...jobFields(jobFolder(job)),
    part,
    chunk,
    range: [bounds.start, bounds.end],
    first: bounds.first,
    count: bounds.count,
    gen: firstGen(resends),
  };
}
