import type { Clock } from '../../ports.ts';
import type { InvocationPlaces } from '../model/event-source.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import type { Execution } from './execution.ts';
import type { FunctionLog, LogTail } from './log.ts';
import { memoryWatchMs, residentBytes } from './memory.ts';
import { type Ending, type KillReason, outcomeOf } from './outcome.ts';
import { type RuntimeProcess, startRuntime } from './process.ts';
import type { Reaper } from './reaper.ts';
import { reportLines, startLine } from './report.ts';
import { silentMs } from './runtime-places.ts';
import type { Answer } from './runtime-protocol.ts';

/** One event for a function. */
export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly traceHeader: string;
  /** @default one */
  readonly places?: InvocationPlaces;
}

/** A function's code in a process: it takes one invocation at a time. */
export interface Environment {
  /** Runs one invocation; a function that fails is a value, not a rejection. */
  run(invocation: Invocation, tail: LogTail): Promise<Execution>;
  /** Whether it can take another invocation. */
  readonly usable: boolean;
  /** Asks an invocation that runs to hand its work over and end; nothing else is taken. */
  leave(): void;
  /** Kills the process and resolves when nothing of it is left. */
  end(): Promise<void>;
}

/** What an environment is started with. */
export interface EnvironmentOptions {
  readonly description: FunctionDescription;
  readonly variables: Readonly<Record<string, string>>;
  readonly log: FunctionLog;
  readonly reaper: Reaper;
  readonly clock: Clock;
  /** Called when the process has ended, for whatever reason. */
  readonly onExit: () => void;
}

/** The time that Lambda gives to loading a handler before the first invocation's own time runs. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const initMs = 10_000;
const megabyte = 1_048_576;

/** Starts an environment; its first invocation waits until the handler is loaded. */
export function startEnvironment(options: EnvironmentOptions): Environment {
  const { description, clock } = options;
  const startedAt = performance.now();
  const ready = Promise.withResolvers<void>();
  let loadedMs: number | undefined;
  let cold = true;
  let usable = true;
  let tail: LogTail | undefined;
  let requestId = '';
  let maxBytes = 0;
  let answer: Answer | undefined;
  let openStreams = new Set<string>();
  let settle: ((answer: Answer) => void) | undefined;
  let places: InvocationPlaces | undefined;
  let heardMs = 0;

  const line = (text: string): void => {
    options.log.append(text);
    tail?.append(text);
  };
  // An answer counts when the log has all lines before it; the answer of a process that ends counts at its end.
  const settleWhenComplete = (): void => {
    if (answer !== undefined && openStreams.size === 0 && !(answer.type === 'failed' && answer.ends)) settle?.(answer);
  };
  const runtime: RuntimeProcess = startRuntime({
    cwd: description.codeDir,
    variables: options.variables,
    memoryMb: description.memoryMb,
    reaper: options.reaper,
    events: {
      line,
      outputEnd: (stream, id) => {
        if (id !== requestId) return;
        openStreams.delete(stream);
        settleWhenComplete();
      },
      message: (message) => {
        heardMs = clock.now();
        if (message.type === 'ready') {
          loadedMs = performance.now() - startedAt;
          ready.resolve();
        } else if (message.type === 'keeps') {
          places?.keep(message.places);
        } else {
          answer = message;
          maxBytes = Math.max(maxBytes, message.rssBytes);
          settleWhenComplete();
        }
      },
    },
  });
  const exited = runtime.exited.then((exit) => {
    usable = false;
    options.onExit();
    return exit;
  });
  const next = (): Promise<Ending> =>
    Promise.race([
      new Promise<Ending>((resolve) => {
        settle = (given) => resolve({ by: 'answer', answer: given });
      }),
      exited.then((exit): Ending => ({ by: 'exit', exit })),
    ]);

  const execute = async (invocation: Invocation): Promise<Omit<Execution, 'initMs'>> => {
    let killedFor: KillReason | undefined;
    const kill = (reason: KillReason): void => {
      killedFor ??= reason;
      usable = false;
      runtime.kill();
    };
    const stopWatch = watchMemory(runtime, clock, (bytes) => {
      maxBytes = Math.max(maxBytes, bytes);
      if (bytes > description.memoryMb * megabyte) kill('memory');
      if ((places?.held ?? 1) > 1 && clock.now() - heardMs > silentMs) places?.keep(1);
    });
    const cancelInit = clock.after(initMs + description.timeoutMs, () => kill('timeout'));
    await Promise.race([ready.promise, exited]);
    cancelInit();
    const begun = performance.now();
    const cancelTimeout = clock.after(description.timeoutMs, () => kill('timeout'));
    try {
      const ending = next();
      heardMs = clock.now();
      if (usable) {
        runtime.send({
          requestId: invocation.requestId,
          payload: invocation.payload,
          deadlineMs: Date.now() + description.timeoutMs,
          functionArn: description.arn,
          traceHeader: invocation.traceHeader,
          places: { held: places?.held ?? 1, least: places?.least ?? 1 },
        });
      }
      const ended = await ending;
      const durationMs = performance.now() - begun;
      if (ended.by === 'exit') usable = false;
      const outcome = outcomeOf(ended, { killedFor, answer, requestId: invocation.requestId, description });
      const died = ended.by === 'exit';
      return { ...outcome, durationMs, maxMemoryMb: Math.ceil(maxBytes / megabyte), ...(died && { died }) };
    } finally {
      cancelTimeout();
      stopWatch();
      settle = undefined;
    }
  };

  return {
    run: async (invocation, ownTail) => {
      answer = undefined;
      ({ requestId, places } = invocation);
      openStreams = new Set(['stdout', 'stderr']);
      tail = ownTail;
      line(startLine(requestId, description.logFormat));
      const execution = await execute(invocation);
      const complete = cold && loadedMs !== undefined ? { ...execution, initMs: loadedMs } : execution;
      cold = false;
      for (const text of reportLines(complete, requestId, description)) line(text);
      tail = undefined;
      return complete;
    },
    get usable() {
      return usable;
    },
    leave: () => {
      usable = false;
      runtime.terminate();
    },
    end: async () => {
      usable = false;
      runtime.kill();
      await exited;
    },
  };
}

function watchMemory(runtime: RuntimeProcess, clock: Clock, seen: (bytes: number) => void): () => void {
  const { pid } = runtime;
  let cancel = (): void => {};
  let stopped = false;
  const look = async (): Promise<void> => {
    const bytes = pid === undefined ? undefined : await residentBytes(pid);
    if (stopped) return;
    if (bytes !== undefined) seen(bytes);
    cancel = clock.after(memoryWatchMs, () => void look());
  };
  cancel = clock.after(memoryWatchMs, () => void look());
  return () => {
    stopped = true;
    cancel();
  };
}
