/** One place of the code that a promise rests on, and how it is broken. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Text that stands once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** The places that matter most. Each must be caught by the simulator or by a test. */
export const mutations: readonly Mutation[] = [
  {
    name: 'acknowledge before storing',
    file: 'src/worker/closer.ts',
    find: 'const how = await closeChunk(',
    replace: 'await this.acknowledge(held);\n      const how = await closeChunk(',
  },
  {
    name: 'drop If-None-Match of a result',
    file: 'src/folder/store-result.ts',
    find: '    condition: { ifAbsent: true },\n',
    replace: '',
  },
  {
    name: "forget the hand-over's send",
    file: 'src/worker/close-chunk.ts',
    find: 'return deps.queue.send([encodeMessage(sentAgain(message, attempt))], { group: jobId, delaySeconds });',
    replace: 'return Promise.resolve(void [encodeMessage(sentAgain(message, attempt)), jobId, delaySeconds]);',
  },
  {
    name: 'skip the renewal of holds',
    file: 'src/worker/holds.ts',
    find: 'await queue.changeVisibility(receiptHandle, leaseSeconds);',
    replace: 'void [queue, receiptHandle, leaseSeconds];',
  },
  {
    name: 'run a chunk whose result stands',
    file: 'src/worker/opener.ts',
    find: '(await this.#read(held, () => store.head(resultKey(folderOf(message), place)))) !== undefined;',
    replace: 'store === undefined;',
  },
  {
    name: 'forget to send the next tick',
    file: 'src/job/run-tick.ts',
    find: 'await deps.tickQueue.send(',
    replace: 'void ((..._given: unknown[]) => undefined)(',
  },
  {
    name: 'lose rows that could not be stored early',
    file: 'src/worker/close-chunk.ts',
    find: 'store.put(segmentKey(',
    replace: 'store.head(segmentKey(',
  },
  {
    name: 'count a settled chunk twice',
    file: 'src/job/count-settled.ts',
    find: 'if (bitmap.has(chunk)) continue;',
    replace: 'totals = addDigests(totals, digest);',
  },
  {
    name: 'drop a dead letter',
    file: 'src/job/dead-letter.ts',
    find: 'const prefix = segmentsPrefix(folder, place);',
    replace: "const prefix = segmentsPrefix(folder, place);\n  if (prefix !== '') return;",
  },
  {
    name: 'write the record of a turn over that of a twin',
    file: 'src/job/run-tick.ts',
    find: '    condition: { ifAbsent: true },\n  });\n  if (etag === undefined) {',
    replace: '  });\n  if (etag === undefined) {',
  },
  {
    name: 'never do the effects of a lost turn again',
    file: 'src/job/run-tick.ts',
    find: '  await doEffects(deps, manifest, record, { again: true, inline: false });\n',
    replace: '',
  },
  {
    name: 'start items that cannot end before the deadline',
    file: 'src/worker/running-job.ts',
    find: '<= deadline',
    replace: '<= deadline + 86_400_000',
  },
  {
    name: 'keep no rows before a chunk is finished',
    file: 'src/worker/closer.ts',
    find: 'if (chunk.hasRows && (ageMs >= checkpointMs || isFull))',
    replace: 'if (chunk.hasRows && isFull && checkpointMs < 0)',
  },
  {
    name: 'go on with a chunk that another worker has stored',
    file: 'src/worker/closer.ts',
    find: 'if (hasResult) await this.drop(chunk, { isSettled: true });',
    replace: 'if (hasResult && chunk.isDropped) await this.drop(chunk, { isSettled: true });',
  },
  {
    name: 'believe any clock when a wait is handed over',
    file: 'src/worker/close-chunk.ts',
    find: 'now + Math.min(item.waitMs, Math.max(0, item.notBefore - now))',
    replace: 'Math.max(now, item.notBefore)',
  },
  {
    name: 'forget a hold after its clock was set back',
    file: 'src/worker/holds.ts',
    find: 'return passedMs >= 0 && passedMs < ms;',
    replace: 'return passedMs < ms;',
  },
  {
    name: 'give a seat its part of a new table at once',
    file: 'src/format/share.ts',
    find: 'at.sinceSeenMs < settledMs(old, table, at.timeoutMs) && takesFrom(table, old)',
    replace: 'at.sinceSeenMs < 0 && takesFrom(table, old)',
  },
  {
    name: 'move calls between seats before those that run ended',
    file: 'src/format/share.ts',
    find: '(callsMove ? timeoutMs : 0)',
    replace: '(callsMove ? 0 * timeoutMs : 0)',
  },
  {
    name: 'start calls of a seat whose lease is over',
    file: 'src/worker/seat-lease.ts',
    find: 'now - this.#since < this.#note.leaseMs;',
    replace: 'now - this.#since < this.#note.leaseMs + 86_400_000;',
  },
];
