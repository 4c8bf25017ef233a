import { field, textField } from './error-chain.ts';
import { isRetryableStatus } from './statuses.ts';

/** What one link of an error's causes says of the failure. */
export interface Verdict {
  readonly retryable: boolean;
  /** The name under which it is counted, where the link has a better one than its class. */
  readonly code?: string;
  readonly status?: number;
}

/** Names of failures of the network, of its sockets, and of DNS, by whichever client. */
const networkCodes =
  /^(E(CONN(REFUSED|RESET|ABORTED|CLOSED)|PIPE|TIME(D)?OUT|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN|RESET)|ADDRNOTAVAIL|NOTCONN|SOCKET(TIMEDOUT)?|NOTFOUND|AI_(AGAIN|FAIL|NODATA|NONAME)|NODATA|SERVFAIL|MFILE|NFILE|AGAIN|BUSY)|ERR_(NETWORK|SOCKET_\w+|STREAM_PREMATURE_CLOSE|HTTP2_\w+|TLS_HANDSHAKE_TIMEOUT)|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|CLOSED|DESTROYED|ABORTED|RES_CONTENT_LENGTH_MISMATCH)|HPE_\w+|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|PROTOCOL_(CONNECTION_LOST|SEQUENCE_TIMEOUT)|NR_CLOSED|ConnectionClosed\w*)$/;

/** A certificate or handshake that is refused is refused again. */
const tlsCodes =
  /^(CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|EPROTO|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|HOSTNAME_MISMATCH|INVALID_CA|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_URL|ERR_BAD_OPTION(_VALUE)?)$/;

/** PostgreSQL's classes and codes of "later": connection, resources, rollback, shutdown. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const laterSqlStates = /^(08...|53...|40001|40P01|55P03|55006|57P0[1235]|58030|25P03)$/;

/** Codes of SQL by their standard and PostgreSQL's classes, for errors that say nothing else of a database. */
const sqlStates = /^(0[0-389ABFLPZ]|2[0-8BDF]|3[489BDF]|4[0-4]|5[3-578]|72|F0|HV|P0|XX)(?=.*\d)[0-9A-Z]{3}$/;

/** MySQL's. https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html */
const laterMysql =
  /^ER_(LOCK_DEADLOCK|LOCK_WAIT_TIMEOUT|CON_COUNT_ERROR|TOO_MANY_USER_CONNECTIONS|TOO_MANY_CONCURRENT_TRXS|USER_LIMIT_REACHED|SERVER_SHUTDOWN|NEW_ABORTING_CONNECTION|ABORTING_CONNECTION|NET_\w+|QUERY_INTERRUPTED|QUERY_TIMEOUT|OUT_OF_RESOURCES|CLIENT_INTERACTION_TIMEOUT)$/;

/** Prisma's. https://www.prisma.io/docs/orm/reference/error-reference */
const laterPrisma = /^P(1001|1002|1008|1017|2024|2028|2034)$/;

/** First words of Redis's answers that mean later. */
const laterRedis = /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|UNBLOCKED|NOREPLICAS|OOM)\b/;

/** MongoDB's codes that its drivers try again. https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md */
const laterMongo: ReadonlySet<unknown> = new Set([
  6, 7, 50, 64, 89, 91, 112, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);

/** gRPC's codes by number, and those after which its clients ask again. https://grpc.io/docs/guides/status-codes/ */
const grpcNames =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );
const laterGrpc: ReadonlySet<number> = new Set([2, 4, 8, 10, 13, 14]);

/** AWS's names of throttling, as its SDKs know them. https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/constants.ts */
const awsLater =
  /^(BandwidthLimitExceeded|EC2ThrottledException|LimitExceededException|PriorRequestNotComplete|ProvisionedThroughputExceededException|RequestLimitExceeded|RequestThrottled(Exception)?|SlowDown|ThrottledException|Throttling(Exception)?|TooManyRequestsException|TransactionInProgressException|RequestTimeout(Exception)?|ServiceUnavailable(Exception)?|InternalFailure|InternalServerError|TimeoutError|ModelNotReadyException|ModelTimeoutException)$/;

/** Errors of clients that are about the connection, whatever they carry. */
const laterNames =
  /^(TimeoutError|ConnectTimeoutError|ConnectionTimeoutError|ConnectionError|NoLivingConnectionsError|MaxRetriesPerRequestError|ClusterAllFailedError|SocketClosedUnexpectedlyError|SocketTimeoutError|ClientOfflineError|APIConnection(Timeout)?Error|MongoNetwork(Timeout)?Error|MongoServerSelectionError|MongoPoolClearedError|MongoWaitQueueTimeoutError|Sequelize(Connection\w*|HostNotFound|HostNotReachable|Timeout)Error|KafkaJSConnection\w*|LockTimeout|FetchTimeoutError)$/;

/** What a link says by itself; undefined where it says nothing, and the next one is asked. */
export function verdictOf(link: object): Verdict | undefined {
  return saysItself(link) ?? ofCloud(link) ?? ofNetwork(link) ?? ofDatabase(link) ?? ofGrpc(link) ?? ofStatus(link);
}

/** The HTTP status that an error carries, as `status`, `statusCode`, on its response, or, as Google's clients do, as its `code`; also as a text. */
export function statusOf(link: object): number | undefined {
  const response = field(link, 'response');
  const found = [
    field(link, 'status'),
    field(link, 'statusCode'),
    field(response, 'status'),
    field(response, 'statusCode'),
    field(field(link, '$metadata'), 'httpStatusCode'),
    field(field(link, 'output'), 'statusCode'),
    field(field(link, 'meta'), 'statusCode'),
    field(link, 'code'),
  ].find((status) => (typeof status === 'number' || typeof status === 'string') && /^[45]\d\d$/.test(String(status)));
  return found === undefined ? undefined : Number(found);
}

/** Some libraries say it outright. */
function saysItself(link: object): Verdict | undefined {
  const said = ['retryable', 'retriable', 'isRetryable']
    .map((name) => field(link, name))
    .find((value) => typeof value === 'boolean');
  return typeof said === 'boolean' ? withStatus(link, { retryable: said }) : undefined;
}

/** The AWS SDK: a service's exception has `$fault` and `$metadata`. */
function ofCloud(link: object): Verdict | undefined {
  if (field(link, '$fault') === undefined && field(link, '$metadata') === undefined) return undefined;
  const code = textField(link, 'name') ?? textField(link, 'Code');
  if (code === undefined) return undefined;
  if (field(link, '$retryable') !== undefined || awsLater.test(code))
    return withStatus(link, { code, retryable: true });
  const status = statusOf(link);
  return status === undefined ? undefined : { code, status, retryable: isRetryableStatus(status) };
}

function ofNetwork(link: object): Verdict | undefined {
  const code = textField(link, 'code') ?? textField(link, 'errno');
  if (code !== undefined && tlsCodes.test(code)) return { code, retryable: code === 'ERR_TLS_HANDSHAKE_TIMEOUT' };
  if (code !== undefined && networkCodes.test(code)) return { code, retryable: true };
  const name = textField(link, 'name');
  // A cause with a code says more than its wrapper's name.
  return name !== undefined && laterNames.test(name) && field(link, 'cause') === undefined
    ? withStatus(link, { code: name, retryable: true })
    : undefined;
}

function ofDatabase(link: object): Verdict | undefined {
  const code = field(link, 'code');
  const name = textField(link, 'name');
  if (hasTransientLabel(link)) return { retryable: true };
  if (name?.startsWith('Mongo') && typeof code === 'number') {
    return { code: textField(link, 'codeName') ?? `${name}${code}`, retryable: laterMongo.has(code) };
  }
  if (name === 'ReplyError' || name === 'SimpleError' || name === 'ErrorReply') {
    return { retryable: laterRedis.test(textField(link, 'message') ?? '') };
  }
  if (typeof code !== 'string') return undefined;
  const isSql = textField(link, 'severity') !== undefined || name === 'PostgresError';
  // An API may have codes of its own that look alike; with a status, it is one.
  if (isSql ? /^[0-9A-Z]{5}$/.test(code) : sqlStates.test(code) && statusOf(link) === undefined) {
    return { code: `Sql${code}`, retryable: laterSqlStates.test(code) };
  }
  if (/^ER_[A-Z]/.test(code)) return { code, retryable: laterMysql.test(code) };
  if (/^P\d{4}$/.test(code) && name?.startsWith('Prisma')) return { code, retryable: laterPrisma.test(code) };
  if (code.startsWith('SQLITE_')) return { code, retryable: /^SQLITE_(BUSY|LOCKED)/.test(code) };
  return undefined;
}

function hasTransientLabel(link: object): boolean {
  const labels = field(link, 'errorLabels');
  const names = Array.isArray(labels) ? labels : [];
  const set = field(link, 'errorLabelSet');
  return [...names, ...(set instanceof Set ? set : [])].some(
    (label) => label === 'TransientTransactionError' || label === 'RetryableWriteError' || label === 'RetryableError',
  );
}

function ofGrpc(link: object): Verdict | undefined {
  const code = field(link, 'code');
  if (typeof code !== 'number' || field(link, 'details') === undefined || field(link, 'metadata') === undefined) {
    return undefined;
  }
  return { code: grpcNames[code] ?? `Grpc${code}`, retryable: laterGrpc.has(code) };
}

/** A client's name of an HTTP error says nothing that its status does not. */
const plainNames =
  /^(Error|TypeError|(Axios|Gaxios|Got|Ky|Superagent|Wretch|Octokit|Http|HTTP|Fetch|Request|Response|Status|StatusCode|API|Api)\w*Error)$/;

function ofStatus(link: object): Verdict | undefined {
  const status = statusOf(link);
  if (status === undefined) return undefined;
  const name = textField(link, 'name');
  const code = name === undefined || plainNames.test(name) ? `HttpStatus${status}` : name;
  return { code, status, retryable: isRetryableStatus(status) };
}

function withStatus(link: object, verdict: Verdict): Verdict {
  const status = statusOf(link);
  return status === undefined ? verdict : { ...verdict, status };
}
