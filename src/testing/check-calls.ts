import { limits } from '../limits.ts';
import type { CallEvent, History, LifeEvent } from './history.ts';
import type { PassView } from './pass-view.ts';
import type { Report } from './violation.ts';

/** A worker notices within this time that its chunk's result stands. */
const noticeMs = 2_000;
/** A request that hangs is given up after a minute, and then tried again. */
const hangingMs = 65_000;
/** Rows are looked at every second, and have to be stored. */
const storingMs = 1_500;

/** Holds the calls of a run to their promises: none late, none repeated without a fault, and none that was stored. */
export function checkCalls(run: PassView, report: Report): void {
  const { history, summary } = run;
  const chunkOf = chunkFinder(run);
  for (const call of history.calls) {
    const life = history.lives[call.life];
    const stoodAt = history.stoodAt.get(chunkOf(call.index) ?? '');
    if (life === undefined || stoodAt === undefined || call.startedAt <= stoodAt + noticeMs) continue;
    if (isExcused(life, call.startedAt, history)) continue;
    report(
      'no call starts 2 s after its row stands',
      `item ${call.index}, ${call.startedAt - stoodAt} ms late, process ${life.id}`,
    );
  }
  const isSentTwice = isFirstSentTwice(history);
  if (!isSentTwice) checkKept(run, chunkOf, report);
  const hasTwins = sendsTwins(history);
  const earlier = new Map<string, CallEvent>();
  for (const call of history.calls) {
    const key = `${call.index}/${call.attempt}`;
    const before = earlier.get(key);
    earlier.set(key, call);
    if (before === undefined) continue;
    const what = `item ${call.index}, attempt ${call.attempt}, processes ${before.life} and ${call.life}`;
    if (!hasTwins && !isBlamed(before, call, history)) report('calls are repeated only by a fault', what);
    else if (
      !isSentTwice &&
      hasSettled(before, run) &&
      wasStored(before, { again: call, place: chunkOf(call.index) }, history)
    )
      report('no answered call is repeated whose row had the time to be stored', what);
  }
  const most = Math.max(...history.calls.map(({ attempt }) => attempt), 0);
  if (most > limits.maxAttempts) report('attempts have a limit', `attempt ${most} in ${summary.jobId}`);
}

/** The SDK itself asks again when an answer was lost; of two first messages of a chunk neither knows of the other. */
const isFirstSentTwice = ({ faults, lives }: History): boolean =>
  faults.some(({ kind, target, life }) => {
    const role = lives[life ?? -1]?.role;
    return kind === 'sqs-repeated' && target === 'work' && (role === 'tick' || role === 'fan-out');
  });

/** Whoever takes a chunk goes on where the rows end that stand: whose they are, and by which message it came, changes nothing. */
function checkKept({ history }: PassView, chunkOf: (index: number) => string | undefined, report: Report): void {
  for (const { index, attempt, life: id, startedAt } of history.calls) {
    const life = history.lives[id];
    const rowAt = history.rowAt.get(index);
    if (life === undefined || rowAt === undefined) continue;
    const place = chunkOf(index);
    const takes = life.chunks.get(place ?? '')?.filter((at) => at <= startedAt) ?? [];
    // A further message of a chunk that it has in hand changes nothing: the first one since it was done with it counts.
    const closedAt = history.log.findLast((line) => line.at < startedAt && isClose(line, id, place))?.at ?? 0;
    const taken = takes.find((at) => at >= closedAt) ?? takes.at(-1) ?? life.startedAt;
    if (rowAt < taken)
      report(
        'no item is called whose row stood when its chunk was taken',
        `item ${index}, attempt ${attempt}, process ${id}, its row stood ${taken - rowAt} ms before`,
      );
  }
}

/** A process that stood still gets 2 s after it woke; one that cannot reach S3 cannot see what stands there. */
function isExcused(life: LifeEvent, at: number, history: History): boolean {
  if (life.frozen.some(({ from, to }) => from - noticeMs <= at && at <= to + noticeMs)) return true;
  return history.faults.some(
    (fault) =>
      fault.life === life.id && /^(s3|sqs|outage)/.test(fault.kind) && fault.at <= at && at <= fault.at + hangingMs,
  );
}

/** Something befell a process that made the call. */
function isBlamed(before: CallEvent, again: CallEvent, { lives }: History): boolean {
  return [lives[before.life], lives[again.life]].some(
    (life) => life !== undefined && (life.faults.length > 0 || life.killedAt !== undefined),
  );
}

/** An attempt that others follow leaves no row: how many there were goes with the message alone. */
function hasSettled({ index, attempt }: CallEvent, { rows }: PassView): boolean {
  const row = rows.find((one) => one.index === index);
  return row === undefined || row.attempts <= attempt;
}

/** Two messages of one chunk may be under way, and whoever has the second one looks for no rows of the first. */
function sendsTwins({ faults, lives, log }: History): boolean {
  if (faults.some(({ kind }) => /^sqs|^duplicate|^purge|^lost|^lambda|^outage|^delayed/.test(kind))) return true;
  if (lives.some(({ role, killedAt }) => role !== 'worker' && killedAt !== undefined)) return true;
  return log.some(({ message }) => message.includes('effects are done again'));
}

/** The first process had the time to store the answer: it ended, stood still, or lost the chunk, long after, and S3 took what it stored. */
function wasStored(
  before: CallEvent,
  { again, place }: { readonly again: CallEvent; readonly place: string | undefined },
  { lives, log }: History,
): boolean {
  const life = lives[before.life];
  const { endedAt } = before;
  if (life === undefined || endedAt === undefined || again.life === before.life) return false;
  const next = lives[again.life];
  const stops = [
    life.killedAt ?? Number.POSITIVE_INFINITY,
    ...life.frozen.filter(({ to }) => to > endedAt).map(({ from }) => from),
    next?.startedAt ?? Number.POSITIVE_INFINITY,
    ...log.filter((line) => line.at >= before.startedAt && isDrop(line, before.life, place)).map(({ at }) => at),
  ];
  const stoppedAt = Math.min(...stops);
  const isUndisturbed = life.faults.every(({ kind, at }) => !/^(s3|outage|clock)/.test(kind) || at > stoppedAt);
  return isUndisturbed && stoppedAt - endedAt > limits.checkpointMs + storingMs;
}

const isDrop = (line: History['log'][number], life: number, place: string | undefined): boolean =>
  line.message.startsWith('a chunk was dropped') && isClose(line, life, place);

/** Whether a worker says that it is done with a chunk: stored, handed over, lost, or dropped. */
function isClose({ message, fields }: History['log'][number], life: number, place: string | undefined): boolean {
  // Every line of a worker about a chunk says so.
  const of = fields as { readonly life?: number; readonly part?: number; readonly chunk?: number };
  const isOfPlace = `${of.part}/${of.chunk}` === place?.split(': ').at(-1);
  return message.startsWith('a chunk was') && of.life === life && isOfPlace;
}

/** Which chunk an item is in. */
function chunkFinder(run: PassView): (index: number) => string | undefined {
  const { bounds } = run;
  return (index) => bounds.find(({ first, count }) => index >= first && index < first + count)?.place;
}
