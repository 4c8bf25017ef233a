import { types } from 'node:util';
import type { LambdaError } from './runtime-protocol.ts';

/** A promise of the function was rejected and nobody had caught it. */
export class UnhandledPromiseRejection extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super(String(reason));
    this.name = 'Runtime.UnhandledPromiseRejection';
    this.reason = reason;
  }
}

/** Makes an error of the runtime's own, with the type that Lambda gives it. */
export function namedError(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  // The stack keeps the name that an error had when it was made.
  error.stack = `${name}: ${message}`;
  return error;
}

/** Writes what a handler threw as Lambda answers it. */
export function describeError(error: unknown): LambdaError {
  if (types.isNativeError(error)) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** Logs an error as Lambda does: a title and one line of JSON. */
export function logError(title: string, error: unknown): void {
  const native = types.isNativeError(error) ? error : new Error(String(error));
  if (process.env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON') console.error(native);
  else console.error(title, `\t${safeJson(native)}`);
}

function safeJson(error: Error): string {
  try {
    return JSON.stringify(error, (_key, value: unknown) => enumerable(value));
  } catch {
    return JSON.stringify(describeError(error));
  }
}

function enumerable(value: unknown): unknown {
  if (!types.isNativeError(value)) return value;
  const code = 'code' in value ? value.code : undefined;
  return { errorType: value.name, errorMessage: value.message, code, ...value, stack: (value.stack ?? '').split('\n') };
}
