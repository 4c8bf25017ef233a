import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { lookAtPort } from '../../src/targets/localstack/health.ts';
import { startLocalStack } from '../../src/targets/localstack/start.ts';
import { localStackAt } from '../support/localstack.ts';
import { createFunction } from '../support/localstack-function.ts';

const root = path.dirname(path.dirname(import.meta.dirname));
const suitePort = Number(new URL(inject('localStack').endpoint).port);
/** Something else, on a port where LocalStack was to be. */
const other = createServer((_, response) => response.end('something else'));
let otherPort: number;

beforeEach(async () => {
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  otherPort = portOf(other);
});
afterEach(async () => {
  other.close();
  other.closeAllConnections();
  await once(other, 'close');
});

/** A server that listens on TCP has an address with a port. */
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Runs `npm run localstack` beside the suite's own; resolves when it is ready, with its port. */
async function runBeside(): Promise<{ child: ChildProcess; port: number }> {
  const script = path.join(root, 'src', 'targets', 'localstack', 'main.ts');
  // The port is taken, so that a free one is found.
  const child = spawn(process.execPath, [script, '--port', String(otherPort)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    const port = /is ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      child.stderr.resume();
      return { child, port: Number(port) };
    }
  }
  throw new Error(`expected LocalStack to be ready, got:\n${lines.join('\n')}`);
}

/** Makes and invokes a function there; answers with the id of its process. */
async function functionProcess(port: number): Promise<number> {
  const code = 'export const handler = async () => process.pid;';
  const invoke = await createFunction(localStackAt(`http://127.0.0.1:${port}`), 'pid', { code });
  return Number((await invoke({})).payload);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What the LocalStack that a process has started keeps on disk: a folder and a log. */
const runFiles = async (pid: number | undefined): Promise<readonly string[]> =>
  (await readdir(path.join(root, '.localstack'))).filter((name) => name.startsWith(`run-${pid}-`));

describe('startLocalStack', () => {
  it('uses the LocalStack that runs already, and leaves it running', async () => {
    const localStack = await startLocalStack({ port: suitePort });
    expect(localStack).toMatchObject({ reused: true, url: inject('localStack').endpoint });
    await localStack.stop();
    expect(await lookAtPort(suitePort)).toMatchObject({ kind: 'localstack', version: localStack.version });
  });

  it('knows a LocalStack from something else and from nothing', async () => {
    expect(await lookAtPort(otherPort)).toEqual({ kind: 'taken' });
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const port = portOf(gone);
    gone.close();
    await once(gone, 'close');
    expect(await lookAtPort(port)).toEqual({ kind: 'free' });
  });

  it('gives up its start when it is told to, and leaves nothing', async () => {
    const stopping = new AbortController();
    const starting = startLocalStack({
      port: otherPort,
      signal: stopping.signal,
      onProgress: (message) => message.startsWith('starting') && stopping.abort(new Error('changed my mind')),
    });
    await expect(starting).rejects.toThrow('changed my mind');
    expect(await runFiles(process.pid)).toEqual([]);
  });
});

describe('npm run localstack', () => {
  it('takes a free port when its own is taken, and ends with all its processes on Ctrl-C', async () => {
    const { child, port } = await runBeside();
    expect(port).not.toBe(otherPort);
    const pid = await functionProcess(port);
    expect(isAlive(pid)).toBe(true);
    // Nobody else on the network is let in: 127.0.0.2 reaches what listens on all addresses, and nothing that listens on 127.0.0.1.
    await expect(fetch(`http://127.0.0.2:${port}/`)).rejects.toThrow();
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).toBe(0);
    expect(await lookAtPort(port)).toEqual({ kind: 'free' });
    expect(await runFiles(child.pid)).toEqual([]);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 60_000);
  });

  it('leaves nothing when it is killed', async () => {
    const { child, port } = await runBeside();
    const pid = await functionProcess(port);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await vi.waitFor(async () => {
      expect(await lookAtPort(port)).toEqual({ kind: 'free' });
      expect(isAlive(pid)).toBe(false);
      // The log remains until the next start.
      expect(await runFiles(child.pid)).toEqual([`run-${child.pid}-${port}.log`]);
    }, 60_000);
  });
});
