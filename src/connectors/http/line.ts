import type { Client, Dispatcher } from 'undici';
import { Exchange, type ExchangeEnd } from './exchange.ts';
import { afterHandshake, otherProtocol } from './failures.ts';
import type { Listening } from './informational.ts';
import {
  type Exchanged,
  type ExchangeHead,
  type Intake,
  type SendOptions,
  type WireRequest,
  whenStopped,
} from './wire.ts';

/** One socket's client: it carries one call at a time, and connects again by itself. */
export interface Line {
  readonly origin: string;
  readonly client: Client;
  readonly listening: Listening;
  /** Answers that came over the socket it has now; -1 before there was one. */
  served: number;
  isConnected: boolean;
  /** No list has it any more. */
  isGone: boolean;
}

/** A call, and who waits for it. */
export interface Call {
  readonly request: WireRequest;
  readonly options: SendOptions;
  readonly resolve: (answer: Exchanged) => void;
  readonly reject: (error: unknown) => void;
}

/** Who has the lines. */
export interface LineKeeper {
  /** The line can carry the next call. */
  free(line: Line): void;
  /** Its socket is in the middle of something, or gone. */
  drop(line: Line): void;
  /** The call goes over a new line. */
  again(line: Line, call: Call): void;
}

/** Sends a call over a line. */
export function dispatch(keeper: LineKeeper, line: Line, call: Call): void {
  const exchange = new CallOnLine(keeper, line, call).begin();
  // The attempt's signal is the one timeout of a call; undici's own are off.
  line.client.dispatch(call.request as Dispatcher.DispatchOptions, exchange);
}

/** A call on its way over a line. */
class CallOnLine implements ExchangeEnd {
  readonly #keeper: LineKeeper;
  readonly #line: Line;
  readonly #call: Call;
  readonly #wasKept: boolean;
  #unlisten: (() => void) | undefined;

  constructor(keeper: LineKeeper, line: Line, call: Call) {
    this.#keeper = keeper;
    this.#line = line;
    this.#call = call;
    this.#wasKept = line.served > 0;
  }

  begin(): Exchange {
    const { listening } = this.#line;
    const { options } = this.#call;
    listening.awaiting = true;
    listening.heard = false;
    const exchange = new Exchange(this);
    this.#unlisten = whenStopped(options, () => exchange.abort(options.signal.reason));
    return exchange;
  }

  decide(head: ExchangeHead): Intake {
    return this.#call.options.decide(head);
  }

  resolve(answer: Exchanged): void {
    this.#call.resolve(answer);
  }

  reject(error: unknown): void {
    const { signal, idempotent } = this.#call.options;
    const { heard, otherProtocol: other } = this.#line.listening;
    // A server may close a kept socket in the moment that we write to it: nobody's failure, so one more try is free where it is harmless.
    if (this.#wasKept && !signal.aborted && !heard && idempotent) this.#keeper.again(this.#line, this.#call);
    else this.#call.reject(other === undefined ? error : otherProtocol(other, error));
  }

  heard(): void {
    this.#line.listening.awaiting = false;
  }

  free(): void {
    this.#unlisten?.();
    this.#line.served += 1;
    this.#keeper.free(this.#line);
  }

  broken(error: Error): void {
    const { served, listening, origin } = this.#line;
    const isNew = served === 0 && !listening.heard;
    if (isNew && origin.startsWith('https:')) Object.assign(error, { [afterHandshake]: true });
    this.#unlisten?.();
    this.#keeper.drop(this.#line);
  }
}
