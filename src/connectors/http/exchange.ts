import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { bodyTooLarge } from './body.ts';
import { type HeaderLines, headersOf, setCookieOf } from './headers.ts';
import type { Exchanged, ExchangeHead, Intake } from './wire.ts';

/** Who asked, and keeps the socket. One object hears of all of it: a closure for each cost more than the row of the answer. */
export interface ExchangeEnd {
  /** What becomes of the body. */
  decide(head: ExchangeHead): Intake;
  resolve(answer: Exchanged): void;
  reject(error: unknown): void;
  /** The answer's head has begun: what comes after it is body. */
  heard(): void;
  /** The socket can take the next request. */
  free(): void;
  /** The socket is in the middle of something, or gone. */
  broken(error: Error): void;
}

/** Statuses whose answers have no body, whatever their headers claim. */
const bodyless: ReadonlySet<number> = new Set([204, 205, 304]);

const noBody = Buffer.alloc(0);

/** The reason of an abort that fails nothing: the answer is there, and the rest is not wanted. */
const enough = new Error('the rest of the answer is not wanted');

/**
 * One request and its answer over a socket, as undici's dispatcher drives it. This is the hot path of the product: `request` of
 * undici wraps each answer in a Readable with a dozen listeners and ticks, for twice the processor time.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #end: ExchangeEnd;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  #head: ExchangeHead | undefined;
  #intake: Intake | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stream: Readable | undefined;
  #isOver = false;

  constructor(end: ExchangeEnd) {
    this.#end = end;
  }

  /** Ends it at once: the caller hears now, the socket closes when undici lets go of it. */
  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#aborted = reason;
    this.#end.reject(reason);
    this.#stream?.destroy(reason);
    // Before undici has given it a socket there is no controller: then its start ends it.
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, lines: HeaderLines): void {
    if (status < 200) return;
    this.#end.heard();
    const setCookie = setCookieOf(lines);
    const headers = headersOf(lines);
    const head = setCookie === undefined ? { status, headers } : { status, headers, setCookie };
    this.#head = head;
    const intake = this.#end.decide(head);
    this.#intake = intake;
    if (bodyless.has(status)) {
      this.#settleWithoutBody(controller, head);
    } else if (intake.kind === 'stream') {
      this.#stream = this.#open(controller);
      this.#end.resolve({ ...head, body: this.#stream });
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const intake = this.#intake;
    if (this.#isOver || intake === undefined) return;
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) controller.pause();
      return;
    }
    this.#bytes += chunk.byteLength;
    if (intake.kind === 'stream' || this.#bytes <= intake.maxBytes) {
      this.#chunks.push(chunk);
    } else if (intake.kind === 'begin') {
      this.#chunks.push(chunk);
      // The socket is worth less than the rest of a long answer that nobody wants.
      this.#succeed();
      controller.abort(enough);
    } else {
      controller.abort(bodyTooLarge(intake.maxBytes));
    }
  }

  onResponseEnd(): void {
    this.#stream?.push(null);
    if (!this.#isOver) {
      this.#isOver = true;
      if (this.#stream === undefined) this.#answer();
      this.#end.free();
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#end.broken(error);
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#stream === undefined) this.#end.reject(error);
    else this.#stream.destroy(error);
  }

  /** A claimed length or coding would have undici wait for bytes that never come: such a socket is given up. */
  #settleWithoutBody(controller: Dispatcher.DispatchController, { headers }: ExchangeHead): void {
    const claims = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (this.#intake?.kind === 'stream') {
      this.#stream = Readable.from([]);
      if (this.#head !== undefined) this.#end.resolve({ ...this.#head, body: this.#stream });
    }
    if (!claims) return;
    this.#succeed();
    controller.abort(enough);
  }

  #succeed(): void {
    this.#isOver = true;
    if (this.#stream === undefined) this.#answer();
  }

  #answer(): void {
    if (this.#head === undefined) return;
    const only = this.#chunks[0];
    const body = only === undefined ? noBody : this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    // By name: a spread costs more than all of this.
    const { status, headers, setCookie } = this.#head;
    this.#end.resolve(setCookie === undefined ? { status, headers, body } : { status, headers, setCookie, body });
  }

  #open(controller: Dispatcher.DispatchController): Readable {
    return new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#isOver) controller.abort(error ?? enough);
        done(error);
      },
    });
  }
}
