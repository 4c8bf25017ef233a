import type { FaultKind } from '../../src/testing/faults.ts';
import type { Aim } from '../../src/testing/scenario.ts';
import { brakeMutations } from './brake-mutations.ts';

/** One place of the code that a promise rests on, and how it is broken. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Text that stands once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Runs of the simulator that meet the place. */
  readonly aim?: Aim;
  /** The file of the test that meets it where no simulated run does, or is to show it as well. */
  readonly test?: string;
}

const faults = (odds: Readonly<Partial<Record<FaultKind, number>>>): NonNullable<Aim['faults']> => ({ odds });
/** Chunks that one call after another takes longer than a lease, and nothing goes wrong. */
const calm: Aim = { faults: faults({}), perWorker: 1, workers: 2, count: 150 };
/** Nothing goes wrong, and nobody helps. */
const alone: Aim = { faults: faults({}), followed: false };
/** Invocations are short. */
const short: Aim = { faults: faults({ deadline: 0.9 }), perWorker: 2, count: 80 };
const twice: Aim = { faults: faults({ duplicate: 0.8, 'kill-at-call': 0.02, kill: 0.4 }), count: 80 };
const deaths: Aim = { faults: faults({ kill: 0.6, 'kill-at-call': 0.01 }), perWorker: 4, count: 150 };
/** Items run again at the end. */
const redriven: Aim = { faults: faults({}), count: 40, redriven: true };
/** Workers have chunks in hand for longer than rows stay in hand, and die. */
const slow: Aim = { faults: { odds: { 'kill-at-call': 0.01 }, forMs: 300_000 }, perWorker: 1, workers: 2, count: 150 };

/** The places that matter most. Each must be caught by the simulator or by a test. */
export const mutations: readonly Mutation[] = [
  {
    name: 'acknowledge before storing',
    file: 'src/worker/closer.ts',
    find: 'const how = await closeChunk(',
    replace: 'await this.acknowledge(held);\n      const how = await closeChunk(',
    aim: deaths,
  },
  {
    name: 'drop If-None-Match of a result',
    file: 'src/folder/store-result.ts',
    find: '    condition: { ifAbsent: true },\n',
    replace: '',
    aim: { faults: faults({ duplicate: 0.8, freeze: 0.5, kill: 0.3 }) },
  },
  {
    name: "forget the hand-over's send",
    file: 'src/worker/close-chunk.ts',
    find: 'return deps.queue.send([encodeMessage(sentAgain(message, attempt))], { group: jobId, delaySeconds });',
    replace: 'return Promise.resolve(void [encodeMessage(sentAgain(message, attempt)), jobId, delaySeconds]);',
    aim: short,
  },
  {
    name: 'skip the renewal of holds',
    file: 'src/worker/holds.ts',
    find: 'await queue.changeVisibility(receiptHandle, this.#holdSeconds);',
    replace: 'void [queue, receiptHandle, this.#holdSeconds];',
    aim: calm,
  },
  {
    name: 'run a chunk whose result stands',
    file: 'src/worker/opener.ts',
    find: '(await this.#read(held, () => store.head(resultKey(folderOf(message), place)))) !== undefined;',
    replace: 'store === undefined;',
    aim: twice,
  },
  {
    name: 'forget to send the next tick',
    file: 'src/job/run-tick.ts',
    find: 'Promise.all([send(next, delaySeconds), ',
    replace: 'Promise.all([',
    aim: alone,
    test: 'test/job/run-tick.test.ts',
  },
  {
    name: 'guard no turn',
    file: 'src/job/run-tick.ts',
    find: 'lateSeconds < limits.maxDelaySeconds && !manifest.inline',
    replace: 'lateSeconds < 0',
    test: 'test/job/guard-turn.test.ts',
  },
  {
    name: 'lose rows that could not be stored early',
    file: 'src/worker/close-chunk.ts',
    find: 'store.put(segmentKey(',
    replace: 'store.head(segmentKey(',
    aim: calm,
  },
  {
    name: 'count a settled chunk twice',
    file: 'src/job/count-settled.ts',
    find: 'if (bitmap.has(chunk)) continue;',
    replace: 'totals = addDigests(totals, digest);',
    aim: alone,
  },
  {
    name: 'drop a dead letter',
    file: 'src/job/dead-letter.ts',
    find: 'const prefix = segmentsPrefix(folder, place);',
    replace: "const prefix = segmentsPrefix(folder, place);\n  if (prefix !== '') return;",
    test: 'test/job/dead-letter.test.ts',
  },
  {
    name: 'write the record of a turn over that of a twin',
    file: 'src/job/run-tick.ts',
    find: '    condition: { ifAbsent: true },\n  });\n  if (etag === undefined) {',
    replace: '  });\n  if (etag === undefined) {',
    aim: { faults: faults({ duplicate: 0.8, 'lost-tick': 0.3, freeze: 0.3 }) },
    test: 'test/job/run-tick.test.ts',
  },
  {
    name: 'never do the effects of a lost turn again',
    file: 'src/job/run-tick.ts',
    find: '  await doEffects(deps, manifest, record, { again: true, inline: false });\n',
    replace: '',
    aim: { faults: faults({ 'kill-at-call': 0.03, kill: 0.3 }) },
    test: 'test/job/run-tick.test.ts',
  },
  {
    name: 'start items that cannot end before the deadline',
    file: 'src/worker/running-job.ts',
    find: '<= deadline',
    replace: '<= deadline + 86_400_000',
    aim: short,
  },
  {
    name: 'keep no rows before a chunk is finished',
    file: 'src/worker/closer.ts',
    find: 'if (chunk.hasRows && (ageMs >= checkpointMs || isFull))',
    replace: 'if (chunk.hasRows && isFull && checkpointMs < 0)',
    aim: slow,
  },
  {
    name: 'go on with a chunk that another worker has stored',
    file: 'src/worker/closer.ts',
    find: 'if (hasResult) await this.drop(chunk, { isSettled: true });',
    replace: 'if (hasResult && chunk.isDropped) await this.drop(chunk, { isSettled: true });',
    aim: { faults: faults({ 'lambda-lost': 0.7, 'sqs-partly': 0.7, 'sqs-refused': 0.1, freeze: 0.4 }), perWorker: 50 },
    test: 'test/testing/found.test.ts',
  },
  {
    name: 'believe any clock when a wait is handed over',
    file: 'src/worker/close-chunk.ts',
    find: 'now + Math.min(item.waitMs, Math.max(0, item.notBefore - now))',
    replace: 'Math.max(now, item.notBefore)',
    test: 'test/worker/worker-loop.test.ts',
  },
  {
    name: 'forget a hold after its clock was set back',
    file: 'src/worker/holds.ts',
    find: 'return passedMs >= 0 && passedMs < ms;',
    replace: 'return passedMs < ms;',
    test: 'test/worker/holds.test.ts',
  },
  {
    name: 'read no rows that an earlier worker of a chunk left',
    file: 'src/worker/held-message.ts',
    find: 'held.message.gen > 0 || mayHaveRival(held);',
    replace: 'held.receiveCount < 0;',
    aim: slow,
  },
  {
    name: 'send all chunks again when the effects of a turn are done again',
    file: 'src/job/effects.ts',
    find: 'if (gen >= firstGen(record.resends)) begun.add(placeName({ part, chunk }));',
    replace: 'if (gen < firstGen(record.resends)) begun.add(placeName({ part, chunk }));',
    test: 'test/job/run-tick.test.ts',
  },
  {
    name: 'give calls of a pass the keys of the job',
    file: 'src/worker/run-item.ts',
    find: 'return pass === undefined || sameKey === true ?',
    replace: 'return pass === undefined || sameKey !== undefined || index >= 0 ?',
    aim: redriven,
  },
  {
    name: 'count the outcomes that a pass replaces beside its own',
    file: 'src/folder/passes.ts',
    find: 'addDigests(subtractOutcomes(before.totals, replaced), pass.totals)',
    replace: 'addDigests(before.totals, subtractOutcomes(pass.totals, subtractOutcomes(replaced, replaced)))',
    aim: redriven,
  },
  {
    name: 'read the rows of a pass before those of a later one',
    file: 'src/folder/passes.ts',
    find: 'for (const cursor of cursors) row =',
    replace: 'for (const cursor of cursors.toReversed()) row =',
    aim: redriven,
  },
  {
    name: 'let two who redrive at once select into one object',
    file: 'src/client/redrive.ts',
    find: 'passInputKey(folder, newJobId(stack.clock.now(), stack.random))',
    replace: 'passInputKey(folder, newJobId(0, () => 0.5))',
    aim: { ...redriven, faults: faults({ 's3-slow': 0.5 }) },
  },
  {
    name: 'list only what the fan-out was told that it wrote',
    file: 'src/start/begun-folder.ts',
    find: 'new Set([...this.#written.keys(), ...this.#foreign])',
    replace: 'new Set([...this.#written.keys()])',
    aim: { faults: faults({ 's3-repeated': 0.15 }), count: 5, followed: false },
  },
  {
    name: 'blame whoever ran when a process died',
    file: 'src/worker/isolate/isolation.ts',
    find: 'end.culprit === undefined && dead.length === 1 ?',
    replace: 'end.culprit === undefined ?',
    aim: { faults: faults({}), count: 80, perWorker: 10 },
    test: 'test/worker/isolate/isolation.test.ts',
  },
  {
    name: 'let an item end its process',
    file: 'src/runtime/item-faults.ts',
    find: '!== undefined) throw error;',
    replace: '=== null) throw error;',
    test: 'test/runtime/item-faults.test.ts',
  },
  {
    name: 'end a process whose loop is blocked without storing what it has',
    file: 'src/runtime/loop-watchdog.ts',
    find: '      rescue.store(true);\n',
    replace: '',
    test: 'test/runtime/item-faults.test.ts',
  },
  {
    name: 'forget rows that are being stored when a process ends',
    file: 'src/worker/rows-in-hand.ts',
    find: 'linesOf([...this.#taken, ...this.#rows, ...charged])',
    replace: 'linesOf([...this.#rows, ...charged])',
    test: 'test/worker/faults.test.ts',
  },
  {
    name: 'send unmarked what may have been sent before',
    file: 'src/aws/message-queue.ts',
    find: 'isAgain ? bodyAgain(body) : body',
    replace: 'body',
    test: 'test/aws/work-queue.test.ts',
  },
  {
    name: 'a worker begins chunks whatever is left until its job stops',
    file: 'src/worker/stop-share.ts',
    find: 'used[name] >= part * left[name]',
    replace: 'used[name] >= 1e9 * left[name]',
    test: 'test/testing/stops.test.ts',
  },
  {
    name: 'a worker whose part is used up ends, and the next one has it anew',
    file: 'src/worker/worker-loop.ts',
    find: '!(state.mayPull && state.jobs',
    replace: '!(state.isFullOfRows && state.jobs',
    test: 'test/testing/stops.test.ts',
  },
  {
    name: 'a worker that has seen the stop of its job begins all that it has in line',
    file: 'src/worker/running-job.ts',
    find: 'const { isReached } = this.pace;',
    replace: 'const isReached = false;',
    test: 'test/testing/stops.test.ts',
  },
  {
    name: 'a chunk that has reached the stop of its job waits for itself',
    file: 'src/worker/open-chunk.ts',
    find: 'return this.hasProgress || !this.#account.isEmpty;',
    replace: 'return this.hasProgress;',
    test: 'test/worker/reached-stop.test.ts',
  },
  {
    name: 'forget what was spent on rows that are kept',
    file: 'src/worker/kept-rows.ts',
    find: 'nanoUsd += segmentNanoUsd(name);',
    replace: 'void nanoUsd;',
    test: 'test/testing/spent.test.ts',
  },
  {
    name: 'paced starts that gather before a thread',
    file: 'src/worker/running-job.ts',
    find: 'this.#beginning = run;',
    replace: 'void run;',
    test: 'test/worker/isolate/paced-threads.test.ts',
  },
  ...brakeMutations,
];
