import { randomBytes } from 'node:crypto';
import { devNull } from 'node:os';
import { environmentNames } from '../../runtime/environment.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import { account } from '../template/template-stack.ts';

/** Credentials of one function; the endpoint knows it by its key. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What an environment's variables say beside the template. */
export interface VariableOptions {
  readonly endpointUrl: string;
  readonly credentials: Credentials;
  readonly compileCacheDir: string;
}

/** Variables of the person's own that a process needs on this machine; nothing else of them reaches a function. */
const inherited = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SystemRoot',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  environmentNames.sdk,
];

/** The variables that are the same for all environments that share a cache: a process reads some of them only when it starts. */
export function startVariables(compileCacheDir: string): Readonly<Record<string, string>> {
  const given = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(given),
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    NODE_COMPILE_CACHE: compileCacheDir,
  };
}

/** The variables of a new execution environment: Lambda's own, the template's, and the address and key of the endpoint. */
export function environmentVariables(
  description: FunctionDescription,
  options: VariableOptions,
): Readonly<Record<string, string>> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    ...startVariables(options.compileCacheDir),
    ...description.environment,
    [environmentNames.localFiles]: process.cwd(),
    _HANDLER: description.handler,
    AWS_ACCESS_KEY_ID: options.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
    AWS_REGION: account.region,
    AWS_DEFAULT_REGION: account.region,
    AWS_ENDPOINT_URL: options.endpointUrl,
    // The profile of a person must not change what the SDK does in a function.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: description.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(description.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: description.logFormat,
    AWS_LAMBDA_LOG_GROUP_NAME: description.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
    ...(description.logLevel !== '' && { AWS_LAMBDA_LOG_LEVEL: description.logLevel }),
    LAMBDA_TASK_ROOT: description.codeDir,
  };
}
