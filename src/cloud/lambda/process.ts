import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Reaper } from './reaper.ts';
import type { FromRuntime, ToRuntime } from './runtime-protocol.ts';
import { type SpawnOptions, spawnRuntime } from './spawn-runtime.ts';
import { takeStandby } from './standby.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A runtime in a child process with a process group of its own. */
export interface RuntimeProcess {
  readonly pid: number | undefined;
  send(message: ToRuntime): void;
  /** Asks the process to end (SIGTERM): one that does not listen ends at once. */
  terminate(): void;
  /** Ends the process and whatever it has started, at once. */
  kill(): void;
  /** Resolves when the process has ended and its output is read to the end. */
  readonly exited: Promise<Exit>;
}

/** What a process tells its environment. */
export interface RuntimeEvents {
  message(message: FromRuntime): void;
  line(text: string): void;
  /** A stream has no more lines of the invocation. */
  outputEnd(stream: 'stdout' | 'stderr', requestId: string): void;
}

/** How a runtime is started. */
export interface RuntimeProcessOptions extends SpawnOptions {
  readonly reaper: Reaper;
  readonly events: RuntimeEvents;
}

/** For which the output of a process that has ended is read, in milliseconds: what it wrote is in the pipes already. */
const outputMs = 500;

/** Starts a runtime. A process that cannot be started exits like one that broke down. */
export function startRuntime(options: RuntimeProcessOptions): RuntimeProcess {
  const { events, reaper } = options;
  const child = takeStandby(options) ?? spawnRuntime(options);
  // A process that cannot be started says so at once, and has no streams.
  const broken = new Promise<Error>((resolve) => child.on('error', resolve));
  // The message carries what the runtime of the same version wrote.
  child.on('message', (message) => events.message(message as FromRuntime));
  readLines(child.stdout, events.line, (requestId) => events.outputEnd('stdout', requestId));
  readLines(child.stderr, events.line, (requestId) => events.outputEnd('stderr', requestId));
  if (child.pid !== undefined) reaper.watch(child.pid);

  const exited = new Promise<Exit>((resolve) => {
    void broken.then((error) => {
      if (child.pid !== undefined) return;
      events.line(`cannot start an environment: ${error.message}`);
      resolve({ code: 1, signal: null });
    });
    child.on('exit', () => {
      // Grandchildren would hold the output open; one in a group of its own lives on, and nobody waits for what it prints.
      killGroup(child);
      const closing = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, outputMs);
      child.on('close', () => clearTimeout(closing));
      if (child.pid !== undefined) reaper.forget(child.pid);
    });
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid,
    send: (message) => {
      // A channel that is closed belongs to a process whose exit is on its way.
      if (child.connected) child.send(message, () => {});
    },
    terminate: () => void child.kill('SIGTERM'),
    kill: () => killGroup(child),
    exited,
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already, or the platform has none.
    child.kill('SIGKILL');
  }
}

function readLines(
  stream: Readable | null | undefined,
  onLine: (text: string) => void,
  onEnd: (requestId: string) => void,
): void {
  // It is there in every process that was started.
  if (stream === null || stream === undefined) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const mark = line.indexOf('\0');
      if (mark < 0) onLine(line);
      else {
        // A function may end in the middle of a line.
        if (mark > 0) onLine(line.slice(0, mark));
        onEnd(line.slice(mark + 1));
      }
    }
  });
  stream.on('close', () => {
    if (rest !== '') onLine(rest);
  });
}
