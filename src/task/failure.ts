import { limits } from '../limits.ts';
import { field, isErrorLike, linksOf, messageOf, textField } from './error-chain.ts';
import { isTaskError, TaskError } from './errors.ts';
import { ownFrame } from './own-frame.ts';
import { isLimitUsedUp, type ReadHeader, retryAfterMs } from './retry-after.ts';
import { statusOf, type Verdict, verdictOf } from './verdict.ts';

/** Why an item failed, as its row shows it. */
export interface FailedWith {
  /** The name under which failures are counted: ASCII letters, digits, and `_.-`. */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly retryable: boolean;
  /** `file:line` of the task's own code that failed. */
  readonly at?: string;
  /** The beginning of the downstream's answer. */
  readonly body?: string;
}

/** A failure, and the downstream's wish for the next attempt. */
export interface Failure {
  readonly error: FailedWith;
  readonly retryAfterMs: number | undefined;
}

/**
 * Decides whose fault a thrown thing is, and whether another attempt makes sense: by what happened, not by the class of the error.
 * What a task understood (`TaskError`) is taken at its word. Else the error and its causes are asked from the outside in, and the
 * first that knows decides: a library's own word, the network, a database, gRPC, an HTTP status. A programming error
 * (`TypeError` …) without such a cause is the task's own bug, and the same at each attempt; everything else may pass by itself.
 *
 * Never throws, whatever was thrown. `now` is in milliseconds since the epoch.
 */
export function failureOf(error: unknown, now: number): Failure {
  try {
    return isTaskError(error) ? ofTask(error) : ofThrown(error, now);
  } catch {
    const message = 'the task threw something that cannot be read';
    return { error: { code: 'TaskFailed', message, retryable: true }, retryAfterMs: undefined };
  }
}

/** What a process or thread beside this one has settled: the place that it knew is not in this stack. */
export class FailedElsewhere extends TaskError {
  readonly at: { readonly at?: string };
  constructor({ message, at, ...details }: FailedWith, retryAfterMs?: number) {
    super(message, { ...details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    this.at = at === undefined ? {} : { at };
  }
}

function ofTask(error: TaskError): Failure {
  const { code, retryable, status, body } = error;
  return settled(
    {
      code: asCode(code),
      message: cut(String(error.message)),
      retryable: retryable === true,
      ...(status === undefined ? {} : { status }),
      ...(body === undefined ? {} : { body }),
      ...(error instanceof FailedElsewhere ? error.at : framed([error])),
    },
    error.retryAfterMs,
  );
}

function ofThrown(error: unknown, now: number): Failure {
  const links = linksOf(error);
  const inner = links.find(isTaskError);
  const verdict = inner === undefined ? firstVerdict(links) : { ...inner, retryable: inner.retryable };
  const readHeader = headersOf(links);
  const { status } = verdict ?? {};
  const usedUp = status === 403 && (isLimitUsedUp(readHeader) || readHeader('retry-after') !== undefined);
  const retryable = usedUp || (verdict?.retryable ?? !links.some(isBug));
  const [outer] = links;
  return settled(
    {
      code: asCode(verdict?.code ?? codeOf(outer)),
      message: cut(messageOf(error)),
      retryable,
      ...(status === undefined ? {} : { status }),
      ...framed(links),
    },
    inner?.retryAfterMs ?? (retryable ? wishOf(links, readHeader, now) : undefined),
  );
}

function firstVerdict(links: readonly object[]): Verdict | undefined {
  for (const link of links) {
    const verdict = verdictOf(link);
    if (verdict === undefined) continue;
    // A library's bare "yes, again" has no name; a deeper link may have one.
    const code = verdict.code ?? links.map((other) => verdictOf(other)?.code).find((name) => name !== undefined);
    return code === undefined ? verdict : { ...verdict, code };
  }
  return undefined;
}

/** A wish longer than a message can be delayed is not waited for. */
function settled(error: FailedWith, wishMs: number | undefined): Failure {
  // A date that could not be read, or one that is over, is no wish.
  const wish = wishMs !== undefined && wishMs >= 0 ? wishMs : undefined;
  if (wish === undefined || wish <= limits.maxRetryAfterMs || !error.retryable) return { error, retryAfterMs: wish };
  const message = `the downstream asks to wait ${Math.round(wish / 1_000)} s; at most ${limits.maxRetryAfterMs / 1_000} s are possible`;
  return { error: { ...error, code: 'RetryAfterTooLong', message, retryable: false }, retryAfterMs: undefined };
}

const bugs: ReadonlySet<string> = new Set([
  'TypeError',
  'ReferenceError',
  'RangeError',
  'SyntaxError',
  'EvalError',
  'URIError',
  'AssertionError',
]);

function isBug(link: object): boolean {
  return (
    link instanceof TypeError ||
    link instanceof ReferenceError ||
    link instanceof RangeError ||
    link instanceof SyntaxError ||
    (isErrorLike(link) && bugs.has(textField(link, 'name') ?? ''))
  );
}

function codeOf(error: object | undefined): string {
  if (error === undefined) return '';
  const name = field(error, 'name');
  if (isErrorLike(error) && name !== 'Error' && name !== undefined && name !== '') return String(name);
  const code = textField(error, 'code') ?? (isErrorLike(error) ? undefined : textField(error, 'name'));
  return code ?? '';
}

/** Headers of a response that an error carries, under the names that clients give them. */
function headersOf(links: readonly object[]): ReadHeader {
  const found = links.flatMap((link) =>
    [
      field(link, 'headers'),
      field(field(link, 'response'), 'headers'),
      field(field(link, '$response'), 'headers'),
      field(link, 'responseHeaders'),
      field(field(link, 'meta'), 'headers'),
    ].filter((headers) => typeof headers === 'object' && headers !== null),
  );
  return (name) => {
    for (const headers of found) {
      const value = headerIn(headers, name);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

function headerIn(headers: unknown, name: string): string | undefined {
  const get = field(headers, 'get');
  const got: unknown = typeof get === 'function' ? get.call(headers, name) : undefined;
  const own = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
  const value: unknown = got ?? own;
  const [first] = Array.isArray(value) ? value : [value];
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}

function wishOf(links: readonly object[], readHeader: ReadHeader, now: number): number | undefined {
  const said = links.map((link) => field(link, 'retryAfterMs')).find((ms) => typeof ms === 'number');
  if (typeof said === 'number') return said;
  return links.some((link) => statusOf(link) !== undefined) ? retryAfterMs(readHeader, now) : undefined;
}

function framed(links: readonly object[]): { readonly at?: string } {
  for (const link of links) {
    const at = ownFrame(field(link, 'stack'));
    if (at !== undefined) return { at };
  }
  return {};
}

/** Codes are counted in S3 metadata, which is ASCII with `:` and `,` as separators. */
function asCode(name: unknown): string {
  const code = String(name ?? '')
    .replaceAll(/[^A-Za-z0-9_.-]/g, '')
    .slice(0, 40);
  return code === '' ? 'TaskFailed' : code;
}

function cut(message: string): string {
  return message.length > limits.errorMessageCharacters
    ? `${message.slice(0, limits.errorMessageCharacters)}…`
    : message;
}
