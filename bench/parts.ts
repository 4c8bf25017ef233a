import { task as http } from '../lambdas/tasks/http.ts';
import { ModelBucket } from '../src/cloud/model/objects.ts';
import { ModelStore } from '../src/cloud/model/store-port.ts';
import { readTable } from '../src/folder/read.ts';
import { readRowLines } from '../src/folder/read-rows.ts';
import { storeResult } from '../src/folder/store-result.ts';
import { emptyDigest } from '../src/format/digest.ts';
import type { Manifest } from '../src/format/manifest.ts';
import { lineOf } from '../src/format/result.ts';
import { cutInput, uncut } from '../src/job/cut.ts';
import { systemClock } from '../src/runtime/system.ts';
import { checkMark, rememberVersion } from '../src/task/check-mark.ts';
import type { PartsResult } from './results.ts';

const items = 200_000;
const rounds = 5;

/** Cutting and checking an input, and writing rows that are read back, each in this process and from memory. */
export async function measureParts(): Promise<PartsResult> {
  const store = new ModelStore({ bucket: new ModelBucket(systemClock), clock: systemClock });
  const body = Array.from({ length: items }, (_, n) => `"https://example.com/items/${n}"\n`).join('');
  const etag = (await store.put('in', body)) ?? '';
  const manifest: Manifest = {
    v: 1,
    jobId: 'bench',
    task: 'http',
    createdAt: '',
    bundle: '',
    input: { bucket: 'jobs', key: 'in', bytes: body.length, etag, format: 'ndjson' },
    options: { concurrency: 100, timeoutMs: 10_000, attempts: 3 },
    workers: 5,
    workerMemoryMb: 1_024,
    inline: false,
    request: '',
  };
  const cut = async (checked?: string): Promise<void> => {
    const until = Number.POSITIVE_INFINITY;
    const input = { ...manifest.input, ...(checked === undefined ? {} : { checked }) };
    const { progress } = await cutInput(
      { store, input: store, clock: systemClock },
      { manifest: { ...manifest, input }, task: http, progress: uncut, until },
    );
    if (progress.items !== items) throw new Error(`expected ${items} items, got ${progress.items}`);
  };
  const cutSeconds = await least(() => cut());
  rememberVersion(http, 'bench');
  const checkedSeconds = await least(() => cut(checkMark(http, 'ndjson')));
  const table = await readTable(store, 'bench', 0);
  for (const [chunk, { first, count }] of (table?.chunks ?? []).entries()) {
    const rows = Array.from({ length: count }, (_, n) => lineOf(rowOf(first + n)));
    await storeResult(
      store,
      { job: 'bench', place: { part: 0, chunk } },
      { writer: 'w', segments: [], digest: emptyDigest, rows },
    );
  }
  let bytes = 0;
  const resultSeconds = await least(async () => {
    bytes = 0;
    for await (const lines of readRowLines(store, 'bench')) bytes += lines.length;
  });
  return {
    cutItemsPerSecond: items / cutSeconds,
    cutCheckedItemsPerSecond: items / checkedSeconds,
    resultsMegabytesPerSecond: bytes / 1e6 / resultSeconds,
  };
}

const rowOf = (index: number) => ({
  index,
  status: 'succeeded' as const,
  value: {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { id: index, name: 'Ada', tags: ['a', 'b'] },
  },
  attempts: 1,
  durationMs: 200,
  at: 1_234,
});

async function least(work: () => Promise<void>): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { user, system } = process.cpuUsage();
    await work();
    const used = process.cpuUsage({ user, system });
    seconds.push((used.user + used.system) / 1e6);
  }
  return Math.min(...seconds);
}
