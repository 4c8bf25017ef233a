import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isCutHead, isPlainHead, withOneLength } from '../../../src/connectors/http/answer-head.ts';

const lines = [
  'Content-Length: 5',
  'content-length:5',
  'CONTENT-LENGTH: 5, 5',
  'Content-Length: 6',
  'Content-Language: de',
  'Content-Type: a/b, c',
  'Transfer-Encoding: chunked',
  'transfer-encoding: gzip',
  'Trailer-: x',
  'Server: nginx',
  'X: \ncontent',
  'Cache-Control: no, no',
  '',
  'c',
  't',
];

it('calls no head plain that is cut, or whose length has to be mended', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...lines), { maxLength: 6 }),
      fc.constantFrom('\r\n', '\n'),
      fc.constantFrom('', '{"a":\n\n1}'),
      fc.nat(400),
      (some, lineEnd, body, cut) => {
        const whole = `${['HTTP/1.1 200 OK', ...some].join(lineEnd)}${lineEnd}${lineEnd}${body}`;
        const bytes = Buffer.from(whole.slice(0, cut), 'latin1');
        if (!isPlainHead(bytes)) return;
        plain += 1;
        expect(isCutHead(bytes)).toBe(false);
        expect(withOneLength(bytes).toString('latin1')).toBe(bytes.toString('latin1'));
      },
    ),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(500);
});

it('calls a usual head plain', () => {
  const head =
    'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\n{"ok":true}';
  expect(isPlainHead(Buffer.from(head))).toBe(true);
});
