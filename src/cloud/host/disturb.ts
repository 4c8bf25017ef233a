import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * What goes wrong with one request of a face: `refuse`: an error, nothing happened. `lose`: it happened, and its connection is reset (who
 * asks again with a condition meets 412 by its own write). `reset`: the connection is reset, nothing happened. `hang`: no answer for a
 * time, then a reset. `truncate`: it happened, and half of its answer comes.
 */
export type Disturbance =
  | { readonly kind: 'refuse'; readonly status: 409 | 500 | 503 }
  | { readonly kind: 'lose' | 'reset' | 'truncate' }
  | { readonly kind: 'hang'; readonly ms: number; readonly applied: boolean };

/** Asked at every request of a face; undefined lets it pass. For tests of what clients make of it. */
export type Disturb = (request: IncomingMessage) => Disturbance | undefined;

/** Answers a request as a face does, with what goes wrong on the way. */
export async function answerDisturbed(
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly disturbance: Disturbance; readonly answer: () => Promise<void> },
): Promise<void> {
  const { disturbance, answer } = at;
  switch (disturbance.kind) {
    case 'refuse':
      // A server that answers before it has read all closes the connection; the client is to learn of the answer.
      request.resume();
      if (!request.readableEnded) await once(request, 'end').catch(() => undefined);
      refuse(request, response, disturbance.status);
      return;
    case 'reset':
      response.destroy();
      return;
    case 'lose':
      swallow(response, () => response.destroy());
      return answer().catch(() => undefined);
    case 'truncate':
      truncate(response);
      return answer().catch(() => undefined);
    case 'hang': {
      const gone = new Promise<void>((resolve) => void response.once('close', resolve));
      const timer = setTimeout(() => response.destroy(), disturbance.ms);
      if (disturbance.applied) {
        swallow(response, () => undefined);
        await answer().catch(() => undefined);
      }
      await gone;
      clearTimeout(timer);
    }
  }
}

/** Refuses as the service of the request would. */
function refuse(request: IncomingMessage, response: ServerResponse, status: 409 | 500 | 503): void {
  const code = { 409: 'ConditionalRequestConflict', 500: 'InternalError', 503: 'ServiceUnavailable' }[status];
  const isJson = request.headers['x-amz-target'] !== undefined || request.url?.startsWith('/2015-03-31/') === true;
  const message = 'a disturbance of the embedded cloud';
  const [type, body] = isJson
    ? ['application/x-amz-json-1.0', JSON.stringify({ __type: code, message })]
    : ['application/xml', `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`];
  response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
}

/** Lets nothing of an answer through; `end` is called where it ends. */
function swallow(response: ServerResponse, end: () => void): void {
  response.writeHead = () => response;
  response.write = () => true;
  response.end = () => {
    end();
    return response;
  };
}

/** Sends half of the first piece of an answer, and then resets its connection. */
function truncate(response: ServerResponse): void {
  const write = response.write.bind(response);
  const cut = (piece: unknown): void => {
    const half = typeof piece === 'string' || piece instanceof Uint8Array ? piece.slice(0, piece.length / 2) : '';
    // An answer without a body is its headers.
    if (half.length > 0) {
      write(half, () => response.destroy());
      return;
    }
    response.flushHeaders();
    response.destroy();
  };
  let isCut = false;
  response.write = (piece: unknown) => {
    if (!isCut) cut(piece);
    isCut = true;
    return true;
  };
  response.end = (piece?: unknown) => {
    if (!isCut) cut(piece);
    isCut = true;
    return response;
  };
}
