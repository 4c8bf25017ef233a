import { TaskError } from '../../task/errors.ts';

/** DynamoDB's names for "later". https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const throttles: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** DynamoDB refuses a whole batch for one request in it that is wrong. */
const refusals: ReadonlySet<string> = new Set(['ValidationException', 'SerializationException']);

/** Whether a batch failed for what is in it, so that a part of it may pass. */
export const isRefusal = (failure: TaskError): boolean => failure.code === 'RequestRefused';

/** What DynamoDB did not process in time: it says nothing of the reason, and the reason is its rate. */
export function throttled(table: string, cause?: unknown): TaskError {
  return new TaskError(`expected the table ${table} to take the request, got throttled`, {
    code: 'Throttled',
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Names what went wrong in a call of DynamoDB, and whether another try makes sense. */
export function dynamoFailure(error: unknown, table: string): TaskError {
  if (error instanceof TaskError) return error;
  const { name, message, status } = partsOf(error);
  if (throttles.has(name)) return throttled(table, error);
  if (refusals.has(name)) {
    return new TaskError(`expected a request that the table ${table} takes, got: ${message}`, {
      code: 'RequestRefused',
      cause: error,
    });
  }
  if (name === 'ResourceNotFoundException') {
    return new TaskError(`expected a table ${table} in this account and region, got none`, {
      code: 'TableNotFound',
      cause: error,
    });
  }
  if (name === 'AccessDeniedException') {
    return new TaskError(
      `expected leave to use the table ${table}, got: ${message}; deploy with --context otherTables=${table}`,
      { code: 'AccessDenied', cause: error },
    );
  }
  if (status !== undefined && status < 500) {
    const code = name.replace(/Exception$/, '');
    return new TaskError(`expected the table ${table} to answer, got ${name}: ${message}`, {
      code: code === '' ? 'DatabaseFailed' : code,
      status,
      cause: error,
    });
  }
  return new TaskError(`expected an answer for the table ${table}, got ${name}: ${message}`, {
    code: status === undefined ? 'ConnectionFailed' : 'DatabaseFailed',
    retryable: true,
    ...(status === undefined ? {} : { status }),
    cause: error,
  });
}

function partsOf(error: unknown): {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
} {
  if (!(error instanceof Error)) return { name: 'an unknown failure', message: String(error), status: undefined };
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name: error.name, message: error.message, status: typeof status === 'number' ? status : undefined };
}
