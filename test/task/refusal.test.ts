import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../src/task/refusal.ts';

describe('refusalOf', () => {
  it.each([
    [{ code: 'HttpStatus429', status: 429, retryable: true }, undefined, 'rate'],
    [{ code: 'HttpStatus503', status: 503, retryable: true }, 1_000, 'rate'],
    [{ code: 'HttpStatus503', status: 503, retryable: true }, undefined, 'overload'],
    [{ code: 'HttpStatus529', status: 529, retryable: true }, undefined, 'rate'],
    [{ code: 'ThrottlingException', retryable: true }, undefined, 'rate'],
    [{ code: 'ProvisionedThroughputExceededException', retryable: true }, undefined, 'rate'],
    [{ code: 'SlowDown', status: 503, retryable: true }, undefined, 'rate'],
    [{ code: 'HttpStatus500', status: 500, retryable: true }, undefined, 'none'],
    [{ code: 'HttpStatus404', status: 404, retryable: false }, undefined, 'none'],
    [{ code: 'Timeout', retryable: true }, undefined, 'none'],
    [{ code: 'ECONNREFUSED', retryable: true }, undefined, 'none'],
  ] as const)('takes %j with a wish of %s ms for %s', (error, retryAfterMs, refusal) => {
    expect(refusalOf(error, retryAfterMs)).toBe(refusal);
  });
});
