import { Worker } from 'node:worker_threads';
import { chargeItem, describeStray, itemScope } from '../worker/item-scope.ts';

/** How often the loop says that it turns, in milliseconds. */
const beatMs = 500;
/** What a process that ends for an item says on stderr before: its key and the message of its row as JSON. */
export const blockedMark = 'fanloop-blocked:';
/** What the thread asks the blocked loop: these names are all that both know of it. */
const hooks = { blocked: 'fanloop.blockedItem', rescue: 'fanloop.rescue' } as const;
/** How often memory is looked at: an item can fill a gigabyte in a second. */
const memoryLookMs = 50;
/** Rows are stored when this part of the memory is in use, or so much that the process which does that has just room beside. */
const highShare = 0.8;
const rescueMb = 160;
/** And again when it was below this part of that meanwhile. */
const lowShare = 0.9;
/** Where the loop does not stop to store, in milliseconds: it is in native code. */
const pauseMs = 2_000;

/**
 * Runs on a thread of its own, and looks whether the beat goes on; where it has not for too long, the process ends. It does not end
 * the code alone: what waits to run next is lost with it, of other items too. Before, it stops the loop by the inspector, twice: who is
 * met both times is to blame. Where the process has rows in hand, they are stored while it stands. They are also stored when the
 * memory is nearly full: a process that fills it ends without a word.
 */
const watch = `
const { workerData } = require('node:worker_threads');
const { Session } = require('node:inspector');
const { readFileSync, writeSync } = require('node:fs');
const { beats, beatMs, limitMs, cpuMs, endAfter, hooks, blockedMark, highMb, lowShare, memoryLookMs, pauseMs, hasRescue } = workerData;
const view = new Int32Array(beats);
// Of the main thread alone, where the system says it: tasks may compute on others.
const usedMs = () => {
  try {
    const fields = readFileSync('/proc/self/task/' + process.pid + '/stat', 'latin1').split(') ').at(-1).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
};
let seen = Atomics.load(view, 0);
let silent = 0;
let usedBefore = usedMs();
let suspect;
let looking = false;
let isFull = false;

/** Stops the loop where it is, if it still is what it was, and gives what an expression comes to there. */
const atPause = (expression, isStill) => new Promise((settle) => {
  const session = new Session();
  session.connectToMainThread();
  const end = (answer) => session.post('Debugger.resume', () => { session.disconnect(); settle(answer); });
  let isLate = false;
  const timer = setTimeout(() => { isLate = true; settle(undefined); }, pauseMs);
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    clearTimeout(timer);
    if (isLate || !isStill()) return end(undefined);
    session.post('Debugger.evaluateOnCallFrame',
      { callFrameId: callFrames[0].callFrameId, expression, returnByValue: true, silent: true },
      (error, answer) => end(error || answer.result.value === undefined ? undefined : answer.result.value));
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
});
const call = (name, ...given) => 'globalThis[Symbol.for("' + name + '")](' + given.join() + ')';
/** Who runs, and what is to be said of that; nobody where it has turned since, or between two pieces of an item's code. */
const ask = async (ms, guilty) => {
  const blocked = seen;
  const question = call(hooks.blocked, ms, JSON.stringify(guilty ?? null));
  const met = await atPause('JSON.stringify(' + question + ')', () => Atomics.load(view, 0) === blocked);
  return met === undefined ? undefined : JSON.parse(met);
};
const rescue = (isEnd) => atPause(call(hooks.rescue, isEnd), () => true);
async function lookAtMemory() {
  const share = process.memoryUsage.rss() / 1048576 / highMb;
  if (share < lowShare) isFull = false;
  if (isFull || share < 1 || Atomics.load(view, 0) === 0) return;
  isFull = true;
  await rescue(false);
}
function end(ms) {
  writeSync(1, JSON.stringify({ level: 'error', time: new Date().toISOString(),
    message: 'the event loop was blocked for ' + ms / 1000 + ' s: the process ends, and its items run apart' }) + '\\n');
  process.kill(process.pid, 'SIGKILL');
}

async function look() {
  const now = Atomics.load(view, 0);
  // A beat of 0 means that nobody asks to be watched. Looks are counted, not time: a process that was frozen has missed them too.
  silent = now === seen && now !== 0 ? silent + 1 : 0;
  seen = now;
  if (silent === 0) { usedBefore = usedMs(); suspect = undefined; return; }
  const ms = silent * beatMs;
  // A late beat is no blocked loop.
  const share = Math.max(ms / limitMs, silent < 3 ? 0 : (usedMs() - usedBefore) / cpuMs);
  if (looking) return;
  looking = true;
  if (share >= endAfter) {
    if (hasRescue) await rescue(true);
    end(ms);
  } else if (share >= 0.5) {
    const guilty = share >= 1 ? suspect : undefined;
    const met = await ask(ms, guilty);
    if (met !== undefined && met.key === guilty) {
      writeSync(2, blockedMark + JSON.stringify(met) + '\\n');
      end(ms);
    }
    suspect = met === undefined ? suspect : met.key;
  }
  looking = false;
}
setInterval(() => void look(), beatMs);
if (highMb > 0) setInterval(() => void lookAtMemory(), memoryLookMs);
`;

/** For how long an item may block an event loop, in milliseconds. */
export interface LoopLimits {
  /** By the clock. */
  readonly limitMs: number;
  /** By the processor time of the main thread. */
  readonly cpuMs: number;
}

/** What the thread does beside. */
interface Watching {
  /** Where nobody can be met who is to blame, the process ends after so many times of its limits; more than 1. */
  readonly endAfter: number;
  /** Stores, before it returns, what would be lost with the process; `memoryMb` is what that may have. @default nothing is stored */
  readonly rescue?: { readonly memoryMb: number; readonly store: (isEnd: boolean) => void };
}

/** Watches this process's event loop while work runs on it. */
export interface LoopWatchdog {
  /** Watches until the answer is called. */
  watch(): () => void;
}

/**
 * Starts the thread that ends this process when its event loop is blocked for `limitMs`, or for `cpuMs` of its own processor time. It
 * says before on stderr which item is to blame, after {@link blockedMark}.
 */
export function startLoopWatchdog({ limitMs, cpuMs, endAfter, rescue }: LoopLimits & Watching): LoopWatchdog {
  const blocked = (ms: number, guilty: string | null) => {
    const met = blockedItem(ms);
    if (met !== undefined && met.key === guilty && rescue !== undefined) {
      chargeItem('LoopBlocked', met.message);
      rescue.store(true);
    }
    return met;
  };
  Object.assign(globalThis, {
    [Symbol.for(hooks.blocked)]: blocked,
    [Symbol.for(hooks.rescue)]: (isEnd: boolean) => rescue?.store(isEnd),
  });
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const view = new Int32Array(beats);
  const highMb = rescue === undefined ? 0 : Math.min(highShare * rescue.memoryMb, rescue.memoryMb - rescueMb);
  const memory = { highMb, lowShare, memoryLookMs, pauseMs, hasRescue: rescue !== undefined };
  const workerData = { beats, beatMs, limitMs, cpuMs, endAfter, hooks, blockedMark, ...memory };
  const thread = new Worker(watch, { eval: true, workerData });
  thread.unref();
  let serial = 0;
  return {
    watch: () => {
      const beat = (): void => {
        serial = (serial % 1_000_000) + 1;
        Atomics.store(view, 0, serial);
      };
      beat();
      const timer = setInterval(beat, beatMs);
      timer.unref();
      return () => {
        clearInterval(timer);
        Atomics.store(view, 0, 0);
      };
    },
  };
}

/** The item whose code runs in this moment, and what its row says if it is to blame; asked by who has stopped an event loop that is blocked. */
function blockedItem(ms: number): { readonly key: string; readonly message: string } | undefined {
  const scope = itemScope.getStore();
  if (scope === undefined) return undefined;
  const stack = (new Error('here').stack ?? '').split('\n').slice(1);
  // Above the question stands who answers it.
  const asked = stack.findIndex((line) => line.includes('at eval ('));
  const what = `let nobody else run for ${ms / 1_000} s (a task that computes says "thread: true"); it was`;
  const message = describeStray(what, `\n${stack.slice(asked + 1).join('\n')}`);
  return { key: scope.idempotencyKey, message };
}
