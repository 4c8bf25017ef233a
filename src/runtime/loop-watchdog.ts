import { executionAsyncId } from 'node:async_hooks';
import { Worker } from 'node:worker_threads';
import { limits } from '../limits.ts';
import { blockedItem, failBlocked } from '../worker/item-scope.ts';

/** How often the loop says that it turns, in milliseconds. */
const beatMs = 500;
/** An item that can be named has ended by now; what blocks the loop still is native code. */
const endAfterLimits = 3;
/** Node before 24 keeps a count of what runs, which is wrong once code was ended, and then aborts. */
const canEndCode = Number(process.versions.node.split('.')[0]) >= 24;
/** Work that has not been handed over by then hangs. */
const lastResortMs = limits.leaveMs + 3_000;
/** What a process that ends for an item says on stderr before: its key and the message of its row as JSON. */
export const blockedMark = 'fanloop-blocked:';
/** What the thread asks the blocked loop: these names are all that both know of each other. */
const hooks = { who: 'fanloop.blockedItem', fail: 'fanloop.failBlockedItem' } as const;

/**
 * Runs on a thread of its own, and looks whether the beat goes on. Where it does not, it stops the loop by the inspector, twice: an
 * item whose code is met both times fails. Its code is ended where that does no harm; else the process ends, and says for whom.
 */
const watch = `
const { workerData } = require('node:worker_threads');
const { Session } = require('node:inspector');
const { writeSync } = require('node:fs');
const { beats, beatMs, limitMs, cpuMs, endAfterLimits, hooks, blockedMark } = workerData;
const view = new Int32Array(beats);
const usedMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
const say = (message) => writeSync(1, JSON.stringify({ level: 'error', time: new Date().toISOString(), message }) + '\\n');
let seen = Atomics.load(view, 0);
let silent = 0;
let usedBefore = usedMs();
let suspect;
let looking = false;

/** Stops the loop where it is, and gives what \`act\` wants of it there. */
const atPause = (act) => new Promise((settle) => {
  const session = new Session();
  session.connectToMainThread();
  const end = (answer) => { session.disconnect(); settle(answer); };
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    // It has turned since: nobody blocks it.
    if (Atomics.load(view, 0) !== seen) return session.post('Debugger.resume', () => end(undefined));
    const evaluate = (expression, then) => session.post('Debugger.evaluateOnCallFrame',
      { callFrameId: callFrames[0].callFrameId, expression, returnByValue: true, silent: true },
      (error, answer) => then(error ? undefined : answer.result.value));
    act(evaluate, (terminateOnResume, answer) => session.post('Debugger.resume', { terminateOnResume }, () => end(answer)));
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
});
const call = (hook, ...given) => 'globalThis[Symbol.for("' + hook + '")](' + given.map((one) => JSON.stringify(one)).join() + ')';

const whoBlocks = () => atPause((evaluate, resume) => evaluate(call(hooks.who), (who) => resume(false, who)));
const fail = (who, ms) => atPause((evaluate, resume) => evaluate(call(hooks.who), (now) => {
  if (now !== who) return resume(false, now);
  evaluate(call(hooks.fail, ms), (json) => {
    if (typeof json !== 'string') return resume(false, undefined);
    const { message, isEnded } = JSON.parse(json);
    if (isEnded) return resume(true, true);
    writeSync(2, blockedMark + JSON.stringify({ key: who, message }) + '\\n');
    end(ms);
  });
}));
function end(ms) {
  say('the event loop was blocked for ' + ms / 1000 + ' s: the process ends, and its items run apart');
  process.kill(process.pid, 'SIGKILL');
}

async function look() {
  const now = Atomics.load(view, 0);
  // A beat of 0 means that nobody asks to be watched. Looks are counted, not time: a process that was frozen has missed them too.
  silent = now === seen && now !== 0 ? silent + 1 : 0;
  seen = now;
  if (silent === 0) { usedBefore = usedMs(); suspect = undefined; return; }
  const share = Math.max(silent * beatMs / limitMs, (usedMs() - usedBefore) / cpuMs);
  if (share >= endAfterLimits) end(silent * beatMs);
  if (share < 0.5 || looking) return;
  looking = true;
  if (suspect === undefined) suspect = await whoBlocks();
  else if (share >= 1) {
    const answer = await fail(suspect, silent * beatMs);
    if (answer === true) say('the event loop was blocked for ' + silent * beatMs / 1000 + ' s by the item ' + suspect + ': it fails');
    // Between two pieces of an item's code nobody is met.
    else suspect = answer ?? suspect;
  }
  looking = false;
}
setInterval(() => void look(), beatMs);
`;

/** What watches this process's event loop while work runs on it. */
export interface LoopWatchdog {
  /** Watches until it is told to end. */
  watch(): Watch;
}

/** Work that is watched. */
export interface Watch {
  /** Aborted when code was ended: what else was about to run then may be lost, so the work has to be handed over. */
  readonly ended: AbortSignal;
  end(): void;
}

/** Starts the thread that fails the item which blocks this process's event loop for `limitMs`, or for `cpuMs` of the process's own time. */
export function startLoopWatchdog({
  limitMs,
  cpuMs,
  mayEndCode = false,
}: {
  readonly limitMs: number;
  readonly cpuMs: number;
  /** Whether the item's code is ended where that is possible, and not the process. @default false */
  readonly mayEndCode?: boolean;
}): LoopWatchdog {
  const watches = new Set<() => void>();
  const failBlockedItem = (ms: number): string | undefined => {
    const blocked = failBlocked(ms);
    if (blocked === undefined) return undefined;
    // Within a timer or the like Node would not know any more what runs; before the task has returned, the worker's own code would be ended.
    const isEnded = mayEndCode && canEndCode && blocked.isOnItsOwn && executionAsyncId() === 0;
    if (isEnded)
      setImmediate(() => {
        blocked.fail();
        for (const onEnd of watches) onEnd();
      });
    return JSON.stringify({ message: blocked.message, isEnded });
  };
  Object.assign(globalThis, { [Symbol.for(hooks.who)]: blockedItem, [Symbol.for(hooks.fail)]: failBlockedItem });
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const view = new Int32Array(beats);
  const workerData = { beats, beatMs, limitMs, cpuMs, endAfterLimits, hooks, blockedMark };
  const thread = new Worker(watch, { eval: true, workerData });
  thread.unref();
  let serial = 0;
  return {
    watch: () => {
      const ended = new AbortController();
      let lastResort: NodeJS.Timeout | undefined;
      const onEnd = (): void => {
        ended.abort(new Error('code of an item was ended'));
        // The worker's own code may have been about to run as well.
        lastResort ??= setTimeout(() => process.kill(process.pid, 'SIGKILL'), lastResortMs);
      };
      watches.add(onEnd);
      const beat = (): void => {
        serial = (serial % 1_000_000) + 1;
        Atomics.store(view, 0, serial);
      };
      beat();
      const timer = setInterval(beat, beatMs);
      timer.unref();
      return {
        ended: ended.signal,
        end: () => {
          watches.delete(onEnd);
          clearTimeout(lastResort);
          clearInterval(timer);
          Atomics.store(view, 0, 0);
        },
      };
    },
  };
}
