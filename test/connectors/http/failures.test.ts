import { describe, expect, test } from 'vitest';
import { connectionFailure, parseRetryAfter } from '../../../src/connectors/http/failures.ts';
import { TaskError } from '../../../src/task/errors.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

describe('Retry-After', () => {
  test.each<[string, number | undefined]>([
    ['0', 0],
    ['1', 1_000],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 12:00:05 GMT', 5_000],
    ['Thursday, 01-Jan-26 12:00:05 GMT', 5_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Thu, never', undefined],
  ])('of "%s" means %s ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });
});

describe('a failure below HTTP', () => {
  test.each([
    ['EAI_AGAIN', 'DnsFailed', true],
    ['CERT_HAS_EXPIRED', 'TlsFailed', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TlsFailed', false],
    ['UND_ERR_CONNECT_TIMEOUT', 'ConnectionFailed', true],
    ['EMFILE', 'ConnectionFailed', true],
  ])('with code %s is %s', (code, named, retryable) => {
    const failure = connectionFailure(Object.assign(new Error('x'), { code }), 'one.example');
    expect(failure).toMatchObject({ code: named, retryable, message: expect.stringContaining(code) });
  });

  test('that is understood already stays as it is', () => {
    const known = new TaskError('x', { code: 'AddressRefused' });
    expect(connectionFailure(known, 'one.example')).toBe(known);
  });
});
