import { Worker } from 'node:worker_threads';
import { describeStray, itemScope } from '../worker/item-scope.ts';

/** How often the loop says that it turns, in milliseconds. */
const beatMs = 500;
/** What a process that ends for an item says on stderr before: its key and the message of its row as JSON. */
export const blockedMark = 'fanloop-blocked:';
/** What the thread asks the blocked loop: the name is all that both know of it. */
const hook = 'fanloop.blockedItem';

/**
 * Runs on a thread of its own, and looks whether the beat goes on; where it has not for too long, the process ends. It does not end
 * the code alone: what waits to run next is lost with it, of other items too. Where it is to say who is to blame, it stops the loop
 * by the inspector, twice: who is met both times.
 */
const watch = `
const { workerData } = require('node:worker_threads');
const { Session } = require('node:inspector');
const { readFileSync, writeSync } = require('node:fs');
const { beats, beatMs, limitMs, cpuMs, isNaming, hook, blockedMark } = workerData;
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

/** Stops the loop where it is, and asks there who runs, and what is to be said of that. */
const ask = (ms) => new Promise((settle) => {
  const session = new Session();
  session.connectToMainThread();
  const end = (answer) => session.post('Debugger.resume', () => { session.disconnect(); settle(answer); });
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    // It has turned since: nobody blocks it.
    if (Atomics.load(view, 0) !== seen) return end(undefined);
    const expression = 'JSON.stringify(globalThis[Symbol.for("' + hook + '")](' + ms + '))';
    session.post('Debugger.evaluateOnCallFrame',
      { callFrameId: callFrames[0].callFrameId, expression, returnByValue: true, silent: true },
      (error, answer) => end(error || answer.result.value === undefined ? undefined : JSON.parse(answer.result.value)));
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
});
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
  if (share >= (isNaming ? 3 : 1)) end(ms);
  if (!isNaming || share < 0.5 || looking) return;
  looking = true;
  const met = await ask(ms);
  looking = false;
  // Between two pieces of an item's code nobody is met.
  if (met === undefined) return;
  if (share >= 1 && suspect === met.key) {
    writeSync(2, blockedMark + JSON.stringify(met) + '\\n');
    end(ms);
  }
  suspect = met.key;
}
setInterval(() => void look(), beatMs);
`;

/** For how long an item may block an event loop, in milliseconds. */
export interface LoopLimits {
  /** By the clock. */
  readonly limitMs: number;
  /** By the processor time of the main thread. */
  readonly cpuMs: number;
}

/** Where it fails nobody, a process ends early. */
export const half = ({ limitMs, cpuMs }: LoopLimits): LoopLimits => ({ limitMs: limitMs / 2, cpuMs: cpuMs / 2 });

/** Watches this process's event loop while work runs on it. */
export interface LoopWatchdog {
  /** Watches until the answer is called. */
  watch(): () => void;
}

/** Starts the thread that ends this process when its event loop is blocked for `limitMs`, or for `cpuMs` of its own processor time. */
export function startLoopWatchdog({
  limitMs,
  cpuMs,
  isNaming = false,
}: LoopLimits & {
  /** The process says before on stderr which item is to blame, after {@link blockedMark}. Who cannot be met ends it later. @default false */
  readonly isNaming?: boolean;
}): LoopWatchdog {
  Object.assign(globalThis, { [Symbol.for(hook)]: blockedItem });
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const view = new Int32Array(beats);
  const workerData = { beats, beatMs, limitMs, cpuMs, isNaming, hook, blockedMark };
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
  const message = describeStray(scope.task, what, `\n${stack.slice(asked + 1).join('\n')}`);
  return { key: scope.idempotencyKey, message };
}
