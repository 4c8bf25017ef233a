import type { Socket } from 'node:net';
import { isCutHead, isPlainHead, withOneLength } from './answer-head.ts';

/** What the first bytes of an answer tell, beside the answer. */
export interface Listening {
  /** Whether the next bytes begin an answer. */
  awaiting: boolean;
  /** Bytes of an answer have come since the request was sent. */
  heard: boolean;
  /** The server wants to speak another protocol: an upgrade that nobody asked for, or HTTP/2. */
  otherProtocol: 'upgrade' | 'h2' | undefined;
}

/** `HTTP/1.1 1xx`: enough to know an informational answer. */
const statusBytes = 12;
const headEnd = '\r\n\r\n';
const digit1 = 0x31;

/**
 * Lets a socket's reader see no informational answers (100, 102, 103), wherever they stand: undici takes a 100 for a broken server.
 * Of an answer it sees the whole head at once, with one Content-Length where equal ones came.
 */
export function passOverInformational(socket: Socket, state: Listening): void {
  const read = socket.read.bind(socket);
  let held: Buffer | undefined;
  socket.read = (size?: number): Buffer | null => {
    // A socket without an encoding gives Buffers.
    const chunk = read(size) as Buffer | null;
    if (chunk === null || !state.awaiting) return chunk;
    state.heard = true;
    let rest: Buffer = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = undefined;
    while (isInformational(rest, state)) {
      const end = rest.indexOf(headEnd);
      if (end === -1) {
        held = rest;
        return null;
      }
      rest = rest.subarray(end + headEnd.length);
    }
    if (isPlainHead(rest)) return rest;
    if (rest.length === 0) return null;
    if (isCutHead(rest) || (rest.length < statusBytes && 'HTTP/1.1 1'.startsWith(rest.toString('latin1', 0, 10)))) {
      held = rest;
      return null;
    }
    return withOneLength(rest);
  };
}

function isInformational(bytes: Buffer, state: Listening): boolean {
  // A server of HTTP/2 begins with a frame of settings, of nine bytes at least.
  if (bytes.length >= 9 && bytes[0] === 0 && bytes[3] === 4 && bytes[4] === 0) state.otherProtocol = 'h2';
  if (bytes.length < statusBytes) return false;
  if (bytes[9] !== digit1 || bytes.toString('latin1', 0, 7) !== 'HTTP/1.') return false;
  if (bytes.toString('latin1', 9, 12) !== '101') return true;
  state.otherProtocol = 'upgrade';
  return false;
}
