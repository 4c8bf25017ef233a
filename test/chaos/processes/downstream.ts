import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that reached the downstream. */
export interface Call {
  readonly index: number;
  readonly attempt: number;
  /** 0, or 1 where it runs again. */
  readonly pass: number;
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  /** When its worker began it, by the same machine's clock; a busy server does not bunch these. */
  readonly startedAt: number;
  /** The worker's process. */
  readonly pid: number;
  /** When it was answered; absent where its connection broke before. */
  answeredAt?: number;
  /** When its answer was sent, or its connection broke: before its worker can begin another one in its place. */
  endedAt?: number;
}

/** What an item's calls are answered: each seventh fails once, each eleventh for good; half of these no more in a pass. */
export const outcomeOf = (index: number, pass: number): 'ok' | 'flaky' | 'refused' =>
  index % 11 === 10 && (pass === 0 || index % 2 === 0) ? 'refused' : index % 7 === 6 ? 'flaky' : 'ok';

/** Opens a server that answers after a while, and writes each call down. */
export async function openDownstream(slowness: number) {
  const calls: Call[] = [];
  const first = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const server = createServer((request, response) => {
    const [, index, attempt, startedAt, pid, pass] = (request.url ?? '').split('/').map(Number);
    const call: Call = {
      index: index ?? 0,
      attempt: attempt ?? 0,
      pass: pass ?? 0,
      at: Date.now(),
      startedAt: startedAt ?? 0,
      pid: pid ?? 0,
    };
    calls.push(call);
    first[call.pass === 0 ? 0 : 1].resolve();
    const outcome = outcomeOf(call.index, call.pass);
    const timer = setTimeout(
      () => {
        response.statusCode = outcome === 'refused' ? 422 : outcome === 'flaky' && call.attempt === 1 ? 503 : 200;
        call.endedAt = Date.now();
        response.end('{}', () => {
          call.answeredAt = Date.now();
        });
      },
      slowness * (50 + ((call.index * 37) % 250)),
    );
    response.on('close', () => {
      clearTimeout(timer);
      call.endedAt ??= Date.now();
    });
  });
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls: calls as readonly Call[],
    /** Resolves with the first call of a pass. */
    firstCall: (pass: 0 | 1): Promise<void> => first[pass].promise,
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
}
