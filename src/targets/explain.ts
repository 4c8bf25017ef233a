import { UsageError } from '../task/errors.ts';

const credentialNames = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'AuthFailure',
]);

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/** Puts the errors of a first call to a cloud that a person can mend into one sentence; others stay as they are. */
export function explain(
  cause: unknown,
  context: { readonly endpoint: string | undefined; readonly mend: string },
): unknown {
  if (!(cause instanceof Error)) return cause;
  const { endpoint, mend } = context;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (networkCodes.has(code) || cause.name === 'TimeoutError') {
    return new UsageError(
      'Unreachable',
      `expected an answer from ${endpoint ?? 'AWS'}, got ${code || cause.name}; ${mend}`,
      { cause },
    );
  }
  if (endpoint !== undefined && cause.message.includes('Deserialization error')) {
    return new UsageError(
      'Unreachable',
      `expected ${endpoint} to answer as AWS does, got something else; "npm run localstack" says where LocalStack is, --endpoint names it`,
      { cause },
    );
  }
  if (credentialNames.has(cause.name)) {
    return new UsageError(
      'MissingCredentials',
      `expected valid AWS credentials, got ${cause.name}; "aws configure" or "aws sso login" gives them, AWS_PROFILE chooses among them`,
      { cause },
    );
  }
  if (cause.message.includes('Region is missing')) {
    return new UsageError(
      'MissingCredentials',
      'expected an AWS region, got none; set AWS_REGION, as in AWS_REGION=eu-central-1',
      { cause },
    );
  }
  return cause;
}
