import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A command that runs LocalStack in the foreground, and ends it when its standard input closes. */
export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Removes what the command may leave behind when it had to be killed. */
  readonly cleanUp: () => Promise<void>;
}

/** A LocalStack that this process runs. */
export interface Server {
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends the server and everything that it started; resolves when it is gone, and the log of an orderly run with it. */
  stop(): Promise<void>;
}

/** LocalStack says so on its standard output when its services can be called. */
const readyLine = 'Ready.';
/** A first start compiles 10,000 Python files; it takes 8 s on two idle cores. */
const startMs = 180_000;
/** LocalStack in Docker takes up to 10 s to shut down; after this it is killed. */
const stopMs = 15_000;
/** Lines of the log that an error quotes. */
const quotedLines = 15;

/**
 * Starts the command, and resolves when LocalStack is ready.
 *
 * @throws Error with the end of its log when the server ends or says nothing for three minutes instead.
 */
export async function startServer(command: ServerCommand, logFile: string, signal?: AbortSignal): Promise<Server> {
  if (signal?.aborted) {
    await command.cleanUp();
    throw signal.reason;
  }
  await mkdir(path.dirname(logFile), { recursive: true });
  // A group of its own: Ctrl-C reaches this process only, which then stops the server in order.
  const child = spawn(command.file, command.args, {
    env: command.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  // When the server ends first, closing its input fails; that is no error.
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  let isReady = false;
  const stop = async (): Promise<void> => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    child.stdin.end();
    const timer = setTimeout(() => killGroup(child), stopMs);
    await ended;
    clearTimeout(timer);
    await command.cleanUp();
    // Somebody will want to know why it did not start, or why it ended.
    if (isReady && isRunning) await rm(logFile, { force: true });
  };

  try {
    await ready(child, logFile, signal);
    isReady = true;
  } catch (error) {
    await stop();
    throw error;
  }
  return { ended, stop };
}

async function ready(child: ChildProcess, logFile: string, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const log = createWriteStream(logFile);
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > quotedLines) tail.shift();
      if (line === readyLine) resolve();
    });
  }
  const fail = (what: string, cause?: unknown): void =>
    reject(new Error(`expected LocalStack to start, ${what}; the end of ${logFile}:\n${tail.join('\n')}`, { cause }));
  child.once('error', (error) => fail(`got ${error.message}`, error));
  child.once('close', (code, killedBy) => {
    log.end();
    fail(`got exit code ${code ?? killedBy}`);
  });
  const timer = setTimeout(() => fail(`got no answer in ${startMs / 1_000} s`), startMs);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // The group ended at this moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
