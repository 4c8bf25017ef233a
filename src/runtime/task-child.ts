import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import type {
  ChildAnswer,
  ChildEnd,
  FromChild,
  StartChild,
  TaskChild,
  ToChild,
  ToldOfRun,
} from '../worker/isolate/task-child.ts';
import { strayError } from '../worker/item-scope.ts';
import { blockedMark, type LoopLimits } from './loop-watchdog.ts';

/** The end of what a child wrote to stderr is kept, since V8 says there that its memory is full. */
const keptCharacters = 4_000;
/** What is left of the output after a child's exit is waited for so long: a process that it started may hold the pipe. */
const outputMs = 200;
const pageBytes = 4_096;
/** The child itself ends for an item that blocks it. Where it cannot, since the item is in native code, it is ended after so many times of that. */
const endAfterLimits = 3;

/** Starts children from `child.mjs` beside the given module; `memoryMb` is what the function has in all, `loopLimits` of an item. */
export function childrenBeside(
  moduleUrl: string,
  { memoryMb, loopLimits }: { readonly memoryMb: number; readonly loopLimits: LoopLimits },
): StartChild {
  const program = fileURLToPath(new URL('./child.mjs', moduleUrl));
  // The parent needs the rest: it holds inputs and rows.
  const childMb = Math.max(128, Math.floor(memoryMb * limits.childMemoryShare));
  return (onRejection) => startChild({ program, childMb, loopLimits, onRejection });
}

function startChild(options: {
  readonly program: string;
  readonly childMb: number;
  readonly loopLimits: LoopLimits;
  readonly onRejection: (idempotencyKey: string, error: ItemError) => void;
}): TaskChild {
  const { program, childMb, loopLimits, onRejection } = options;
  const process = fork(program, [], {
    execArgv: [`--max-old-space-size=${Math.floor(childMb * 0.75)}`],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const loads = new Map<string, () => void>();
  const runs = new Map<number, ToldOfRun & { readonly resolve: (answer: ChildAnswer) => void }>();
  let fatal: Extract<FromChild, { type: 'fatal' }> | undefined;
  let killedFor: ItemError | undefined;
  let stderr = '';
  let serial = 0;
  const send = (message: ToChild): void => {
    if (process.connected) process.send(message, () => undefined);
  };
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptCharacters);
    globalThis.process.stderr.write(text);
  });
  const supervision = supervise(process, {
    childMb,
    loopLimits,
    ping: () => send({ type: 'ping' }),
    kill: (error) => {
      killedFor ??= error;
      process.kill('SIGKILL');
    },
  });
  process.on('message', (given) => {
    // The child of the same bundle wrote it.
    const message = given as FromChild;
    if (message.type === 'loaded') loads.get(message.task)?.();
    else if (message.type === 'pong') supervision.answered();
    else if (message.type === 'fatal') fatal = message;
    else if (message.type === 'rejection') onRejection(message.idempotencyKey, message.error);
    else if (message.type !== 'answer') runs.get(message.id)?.[message.type]();
    else {
      runs.get(message.id)?.resolve(message.answer);
      runs.delete(message.id);
    }
  });
  const ended = exitOf(process).then((how): ChildEnd => {
    supervision.stop();
    const blocked = blockedIn(stderr);
    const isOutOfMemory = stderr.includes('heap out of memory');
    const error =
      killedFor ??
      blocked?.error ??
      (isOutOfMemory ? outOfMemory(childMb) : undefined) ??
      fatal?.error ??
      ({
        code: 'WorkerCrashed',
        message: `its process ended with ${how} while the item ran alone in it`,
        retryable: false,
      } as const);
    return { error, culprit: killedFor === undefined && !isOutOfMemory ? blocked?.key : undefined };
  });
  return {
    ended,
    kill: () => void process.kill('SIGKILL'),
    load: (task) =>
      new Promise((resolve) => {
        loads.set(task, resolve);
        send({ type: 'load', task });
      }),
    run: (request, signal, told) => {
      const id = serial++;
      const { promise, resolve } = Promise.withResolvers<ChildAnswer>();
      runs.set(id, { ...told, resolve });
      send({ type: 'run', id, request });
      // It answers all the same: nobody else would tell that it is in the child no more.
      const abort = (): void => send({ type: 'abort', id });
      signal.addEventListener('abort', abort, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', abort));
    },
  };
}

/** The item for which a process has ended itself, where it says so. */
function blockedIn(stderr: string): { readonly key: string; readonly error: ItemError } | undefined {
  const [, json] = new RegExp(`^${blockedMark}(.*)$`, 'm').exec(stderr) ?? [];
  if (json === undefined) return undefined;
  // The child of the same bundle wrote it.
  const { key, message } = JSON.parse(json) as { readonly key: string; readonly message: string };
  return { key, error: strayError('LoopBlocked', message) };
}

const outOfMemory = (childMb: number): ItemError => ({
  code: 'OutOfMemory',
  message: `its process needed more than ${childMb} MB while the item ran alone in it`,
  retryable: false,
});

/** Looks after a child: one whose loop does not turn, or that takes too much memory, is ended. */
function supervise(
  child: ChildProcess,
  on: {
    readonly childMb: number;
    readonly loopLimits: LoopLimits;
    readonly ping: () => void;
    readonly kill: (error: ItemError) => void;
  },
): { answered(): void; stop(): void } {
  const { limitMs, cpuMs } = on.loopLimits;
  let silentLooks = 0;
  let hasAnswered = true;
  let usedBefore = 0;
  const look = (): void => {
    silentLooks = hasAnswered ? 0 : silentLooks + 1;
    const used = usedMs(child.pid);
    if (hasAnswered) {
      usedBefore = used;
      on.ping();
    }
    hasAnswered = false;
    const silentMs = silentLooks * limits.childLookMs;
    const share = Math.max(silentMs / limitMs, silentLooks < 3 ? 0 : (used - usedBefore) / cpuMs);
    if (share >= endAfterLimits) {
      const message = `the event loop of its process was blocked for ${silentMs / 1_000} s while the item ran alone in it`;
      on.kill({ code: 'LoopBlocked', message, retryable: false });
    }
    if (residentMb(child.pid) > on.childMb) on.kill(outOfMemory(on.childMb));
  };
  const timer = setInterval(look, limits.childLookMs);
  timer.unref();
  return {
    answered: () => {
      hasAnswered = true;
    },
    stop: () => clearInterval(timer),
  };
}

/** Processor time of a process's main thread in milliseconds, from its ticks of 10 ms; 0 where the system does not say. */
function usedMs(pid: number | undefined): number {
  try {
    // The name of the program stands in brackets, and may have any.
    const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** Megabytes that a process has in memory; 0 where the system does not say. */
function residentMb(pid: number | undefined): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageBytes) / 1_048_576;
  } catch {
    return 0;
  }
}

/** Resolves when a process has exited and all that it said was read. */
async function exitOf(child: ChildProcess): Promise<string> {
  const exited = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  const disconnected = new Promise<void>((resolve) => void child.on('disconnect', resolve));
  const closed = new Promise<void>((resolve) => void child.on('close', () => resolve()));
  const how = await exited;
  // A loop that was held up meanwhile reads what has come before it says that it waited long enough.
  const late = new Promise<void>((resolve) => void setTimeout(() => setImmediate(resolve), outputMs));
  await Promise.race([Promise.all([disconnected, closed]), late]);
  return how;
}
