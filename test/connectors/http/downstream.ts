import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { certificate } from './certificate.ts';

/** A real server on loopback; it ends with its test. */
export interface Downstream {
  readonly url: string;
  /** Connections that were opened so far. */
  connections(): number;
  /** Requests that arrived so far, as `METHOD path`. */
  readonly requests: readonly string[];
  /** Resolves when no socket is open any more. */
  idle(): Promise<void>;
}

/** Starts an HTTP server. */
export async function startDownstream(answer: RequestListener): Promise<Downstream> {
  const requests: string[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, recorded(answer, requests));
  return { ...(await listen(server, 'http')), requests };
}

/** Starts an HTTPS server whose certificate nobody trusts. */
export async function startTlsDownstream(answer: RequestListener): Promise<Downstream> {
  const requests: string[] = [];
  const server = createTlsServer({ ...certificate, keepAliveTimeout: 60_000 }, recorded(answer, requests));
  return { ...(await listen(server, 'https')), requests };
}

/** Starts a server that speaks bytes, for answers that no HTTP server would give. */
export async function startTcpDownstream(connected: (socket: Socket) => void): Promise<Omit<Downstream, 'requests'>> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    connected(socket);
  });
  return listen(server, 'http');
}

/** Answers with a status, headers, and a body. */
export function reply(
  response: ServerResponse,
  status: number,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer } = {},
): void {
  response.writeHead(status, options.headers);
  response.end(options.body);
}

function recorded(answer: RequestListener, requests: string[]): RequestListener {
  return (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  };
}

async function listen(server: Server | TcpServer, scheme: string): Promise<Omit<Downstream, 'requests'>> {
  const open = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) for (const resolve of waiting.splice(0)) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => connections,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
