import { createServer } from 'node:net';
import path from 'node:path';
import { ownPackage } from '../../bundle/own-package.ts';
import { dockerAnswers, dockerCommand } from './docker.ts';
import { lookAtPort } from './health.ts';
import { installLocalStack } from './install.ts';
import { processCommand } from './process.ts';
import { removeAbandonedRuns, runPrefix } from './runs.ts';
import { startServer } from './server.ts';

/** LocalStack's own port, which its tools expect. */
export const localStackPort = 4566;

/** Options of {@link startLocalStack}. */
export interface LocalStackOptions {
  /** Port on 127.0.0.1; another one is taken when something else is there. @default 4566 */
  readonly port?: number;
  /** Absolute path of the folder for installation and log. @default .localstack in the project */
  readonly home?: string;
  /** Stops the start, or LocalStack when it runs. */
  readonly signal?: AbortSignal;
  /** Told what takes time. */
  readonly onProgress?: (message: string) => void;
}

/** A LocalStack that answers. */
export interface LocalStack {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly version: string;
  /** In a container, or as a process of this machine; unknown when it ran before. */
  readonly how: 'docker' | 'process' | 'unknown';
  /** Absolute path of its log, which an orderly end removes; none of a reused one. */
  readonly logFile: string | undefined;
  /** Whether it ran before, and so is not this process's to stop. */
  readonly reused: boolean;
  /** Resolves when it has ended; never for a reused one. */
  readonly ended: Promise<void>;
  /** Ends it and all that it started; does nothing to a reused one. */
  stop(): Promise<void>;
}

/**
 * Answers with the LocalStack on the port, or starts one: in Docker where an engine answers, else as a process from PyPI.
 * It ends at the latest when this process does.
 *
 * @throws Error when it does not start; the message has the end of its log.
 */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const { signal } = options;
  const wanted = options.port ?? localStackPort;
  const home = options.home ?? path.join(ownPackage, '.localstack');
  const found = await lookAtPort(wanted);
  if (found.kind === 'localstack') {
    const never = new Promise<void>(() => {});
    return {
      url: urlOf(wanted),
      version: found.version,
      how: 'unknown',
      logFile: undefined,
      reused: true,
      ended: never,
      stop: async () => {},
    };
  }
  const port = found.kind === 'free' ? wanted : await freePort();
  if (port !== wanted) options.onProgress?.(`port ${wanted} is taken by something else, so LocalStack gets ${port}`);

  await removeAbandonedRuns(home);
  const inDocker = await dockerAnswers();
  const python = inDocker ? '' : await installLocalStack({ ...options, home });
  options.onProgress?.(
    inDocker ? 'starting LocalStack in Docker' : 'starting LocalStack as a process, since no Docker engine answers',
  );
  const command = inDocker ? dockerCommand(port) : await processCommand({ home, python, port });
  const logFile = path.join(home, `${runPrefix()}${port}.log`);
  const server = await startServer(command, logFile, signal);

  const ready = await lookAtPort(port);
  if (ready.kind !== 'localstack') {
    await server.stop();
    throw new Error(`expected LocalStack on ${urlOf(port)} after it said that it was ready, got none`);
  }
  const stop = async (): Promise<void> => {
    signal?.removeEventListener('abort', stop);
    await server.stop();
  };
  signal?.addEventListener('abort', stop);
  const how = inDocker ? 'docker' : 'process';
  return { url: urlOf(port), version: ready.version, how, logFile, reused: false, ended: server.ended, stop };
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
