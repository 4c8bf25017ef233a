import { describe, expect, test } from 'vitest';
import { connectionFailure } from '../../../src/connectors/http/failures.ts';
import { TaskError } from '../../../src/task/errors.ts';

describe('a failure below HTTP', () => {
  test.each([
    ['EAI_AGAIN', 'DnsFailed', true],
    ['CERT_HAS_EXPIRED', 'TlsFailed', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TlsFailed', false],
    ['UND_ERR_CONNECT_TIMEOUT', 'ConnectionFailed', true],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ClientCertificateRequired', false],
    ['EMFILE', 'TooManyConnections', true],
  ])('with code %s is %s', (code, named, retryable) => {
    const failure = connectionFailure(Object.assign(new Error('x'), { code }), 'one.example');
    expect(failure).toMatchObject({ code: named, retryable, message: expect.stringContaining(code) });
  });

  test('that is understood already stays as it is', () => {
    const known = new TaskError('x', { code: 'AddressRefused' });
    expect(connectionFailure(known, 'one.example')).toBe(known);
  });
});
