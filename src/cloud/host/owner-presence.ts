import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Where an owner can be reached, and the token by which it is known: a port alone may belong to another process by now. */
export interface PresenceAddress {
  readonly port: number;
  readonly token: string;
}

/** The owner's side: a server to which each joiner keeps one connection open. */
export interface Presence {
  readonly address: PresenceAddress;
  /** Tells all joiners, now and later. */
  publish(info: unknown): void;
  /** Closes all connections, which is how joiners learn that the owner goes. */
  close(): Promise<void>;
}

/** The joiner's side. */
export interface PresenceConnection {
  /** Resolves to what the owner published, once it has; undefined when the owner went before. */
  readonly info: Promise<unknown>;
  /** Resolves when the owner has gone: the operating system closes a killed process's connections. */
  whenGone(): Promise<void>;
  close(): void;
}

/** A server that does not say its token in this time is no owner's. */
const helloMs = 2_000;

/** Opens the owner's side on loopback. It does not keep the process running. */
export async function openPresence(): Promise<Presence> {
  const token = randomUUID();
  const sockets = new Set<Socket>();
  let published: string | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    socket.resume();
    socket.write(`${JSON.stringify({ token })}\n`);
    if (published !== undefined) socket.write(published);
  });
  server.unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port of TCP has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    address: { port, token },
    publish(info) {
      published = `${JSON.stringify({ info })}\n`;
      for (const socket of sockets) socket.write(published);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Connects to an owner; resolves to undefined when nobody is there, or somebody else. */
export async function connectPresence({ port, token }: PresenceAddress): Promise<PresenceConnection | undefined> {
  const socket = connect(port, '127.0.0.1');
  // An error is always followed by the end, which is what matters here.
  socket.on('error', () => {});
  const gone = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  const nextLine = readLines(socket);
  const timer = setTimeout(() => socket.destroy(), helloMs);
  const hello = await nextLine();
  clearTimeout(timer);
  if (!(typeof hello === 'object' && hello !== null && 'token' in hello && hello.token === token)) {
    socket.destroy();
    return undefined;
  }
  const info = nextLine().then((line) => {
    // From here on only who waits for the owner's end needs the process to stay.
    socket.unref();
    return typeof line === 'object' && line !== null && 'info' in line ? line.info : undefined;
  });
  const whenGone = (): Promise<void> => {
    socket.ref();
    return gone;
  };
  return { info, whenGone, close: () => socket.destroy() };
}

/** Reads one JSON value a line; undefined for all that come after the connection's end, however it ended. */
function readLines(socket: Socket): () => Promise<unknown> {
  const waiting: Array<(line: unknown) => void> = [];
  const lines: unknown[] = [];
  let text = '';
  let ended = false;
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => {
    const parts = (text + part).split('\n');
    text = parts.pop() ?? '';
    for (const line of parts) {
      const value = parseLine(line);
      const next = waiting.shift();
      if (next === undefined) lines.push(value);
      else next(value);
    }
  });
  socket.once('close', () => {
    ended = true;
    for (const next of waiting.splice(0)) next(undefined);
  });
  return () => {
    if (lines.length > 0 || ended) return Promise.resolve(lines.shift());
    return new Promise((resolve) => waiting.push(resolve));
  };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
