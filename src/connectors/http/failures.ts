import { TaskError } from '../../task/errors.ts';
import { isLimitUsedUp, retryAfterMs } from '../../task/retry-after.ts';
import { isRetryableStatus } from '../../task/statuses.ts';

const dnsCodes: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'ENODATA',
  'ESERVFAIL',
]);

/** OpenSSL's names of a certificate that is not trusted, beside Node's own that start with CERT_, ERR_TLS_, or ERR_SSL_. */
const tlsCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'EPROTO',
]);

/** What undici says of a request that it will not write. */
const requestCodes: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/** An answer whose status was not expected. */
export interface UnexpectedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  /** The beginning of its body, where it is text. */
  readonly body: string | undefined;
}

/** The failure of an answer whose status was not expected. `now` is in milliseconds since the epoch. */
export function statusFailure(
  { status, headers, host, body }: UnexpectedAnswer,
  options: { readonly expected: string; readonly now: number },
): TaskError {
  const read = (name: string): string | undefined => headers[name];
  // Some APIs say 403 where the limit of a time is used up, and when it opens again.
  const isUsedUp = status === 403 && (isLimitUsedUp(read) || headers['retry-after'] !== undefined);
  const retryable = isRetryableStatus(status) || isUsedUp;
  const wishMs = retryable ? retryAfterMs(read, options.now) : undefined;
  return new TaskError(`expected status ${options.expected}, got ${status} from ${host}`, {
    code: `HttpStatus${status}`,
    status,
    retryable,
    ...(wishMs === undefined ? {} : { retryAfterMs: wishMs }),
    ...(body === undefined ? {} : { body }),
  });
}

/** Names what went wrong below HTTP: DNS, TLS, the connection, or a request that cannot be written. */
export function connectionFailure(error: unknown, host: string): TaskError {
  if (error instanceof TaskError) return error;
  const code = codeOf(error);
  if (dnsCodes.has(code)) {
    return new TaskError(`expected the name ${host} to resolve, got ${code}`, {
      code: 'DnsFailed',
      retryable: true,
      cause: error,
    });
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new TaskError(
      `expected room for one more connection, got ${code}: this process may open no more; a lower --concurrency needs fewer, and "ulimit -n" raises the limit`,
      { code: 'TooManyConnections', retryable: true, cause: error },
    );
  }
  const named = namedFailure(code, host, error);
  if (named !== undefined) return named;
  if (tlsCodes.has(code) || /^(CERT_|ERR_TLS_|ERR_SSL_)/.test(code)) {
    return new TaskError(`expected a trusted TLS connection to ${host}, got ${code}${reasonOf(error, code)}`, {
      code: 'TlsFailed',
      cause: error,
    });
  }
  if (requestCodes.has(code)) {
    const reason = error instanceof Error ? error.message : code;
    return new TaskError(`expected a request that HTTP can carry, got: ${reason}`, {
      code: 'InvalidRequest',
      cause: error,
    });
  }
  // Many servers that miss a client's certificate just close; nobody else does so after a handshake.
  const hint = closedAfterHandshake(error) ? '; it may want a client certificate' : '';
  return new TaskError(`expected an answer from ${host}, got ${code}${reasonOf(error, code)}${hint}`, {
    code: 'ConnectionFailed',
    retryable: true,
    cause: error,
  });
}

/** What a person has to know by name, since no further attempt mends it. */
function namedFailure(code: string, host: string, cause: unknown): TaskError | undefined {
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE$/.test(code)) {
    return new TaskError(`expected no client certificate to be asked for, got ${host}, which wants one: ${code}`, {
      code: 'ClientCertificateRequired',
      cause,
    });
  }
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return otherProtocol('h2', cause);
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') {
    return new TaskError(`expected an answer with at most 64 KiB of headers from ${host}, got more`, {
      code: 'HeadersTooLarge',
      cause,
    });
  }
  return undefined;
}

/** The failure of a server that wants to speak another protocol than HTTP/1.1. */
export function otherProtocol(kind: 'upgrade' | 'h2', cause: unknown): TaskError {
  return kind === 'h2'
    ? new TaskError('expected an answer in HTTP/1.1, got a server that speaks only HTTP/2', {
        code: 'Http2Only',
        cause,
      })
    : new TaskError('expected an answer, got 101 Switching Protocols, which nobody asked for', {
        code: 'UpgradeRefused',
        status: 101,
        cause,
      });
}

/** Marks the failure of a new TLS connection that its server closed without a word. */
export const afterHandshake = Symbol('closed after the handshake');

function closedAfterHandshake(error: unknown): boolean {
  return typeof error === 'object' && error !== null && afterHandshake in error;
}

function reasonOf(error: unknown, code: string): string {
  return error instanceof Error && error.message !== '' && error.message !== code ? `: ${error.message}` : '';
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'an unknown failure';
}
