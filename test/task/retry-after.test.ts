import { describe, expect, test } from 'vitest';
import { isLimitUsedUp, parseRetryAfter, retryAfterMs } from '../../src/task/retry-after.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

describe('Retry-After', () => {
  test.each<[string, number | undefined]>([
    ['0', 0],
    ['1', 1_000],
    [' 120 ', 120_000],
    ['1.5', 1_500],
    ['0.25', 250],
    ['Thu, 01 Jan 2026 12:00:05 GMT', 5_000],
    ['Thursday, 01-Jan-26 12:00:05 GMT', 5_000],
    ['Thu Jan  1 12:00:05 2026 GMT', 5_000],
    ['2026-01-01T12:00:05Z', 5_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['', undefined],
    ['2,2', 2_000],
    ['2, 3.5', 3_500],
    ['Thu, 01 Jan 2026 12:00:05 GMT, Thu, 01 Jan 2026 12:00:05 GMT', 5_000],
    ['Thu, 01 Jan 2026 12:00:05 GMT, 7', 7_000],
    ['soon, 2', 2_000],
    ['-1', undefined],
    ['soon', undefined],
    ['Thu, never', undefined],
  ])('of "%s" means %s ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });
});

describe('the headers of a refusal', () => {
  const epoch = now / 1_000;
  test.each<[string, Record<string, string>, number | undefined]>([
    ['nothing', {}, undefined],
    ['milliseconds', { 'retry-after-ms': '1234' }, 1_234],
    ['milliseconds before seconds', { 'retry-after-ms': '500', 'retry-after': '1' }, 500],
    ['seconds before a reset', { 'retry-after': '2', 'x-ratelimit-reset': '9' }, 2_000],
    ['a reset in seconds', { 'x-ratelimit-reset': '9' }, 9_000],
    ['a reset in seconds by the draft', { 'ratelimit-reset': '7', 'ratelimit-remaining': '0' }, 7_000],
    ['an instant in seconds', { 'x-ratelimit-reset': `${epoch + 30}` }, 30_000],
    ['an instant in milliseconds', { 'x-ratelimit-reset': `${now + 1_500}` }, 1_500],
    ['an instant that is over', { 'x-rate-limit-reset': `${epoch - 30}` }, 0],
    ['a wait with a fraction', { 'x-ratelimit-reset-after': '0.3', 'x-ratelimit-reset': `${epoch + 30}` }, 300],
    ['a limit by the draft', { ratelimit: '"default";r=0;t=2' }, 2_000],
    ['limits by the draft', { ratelimit: '"a, b;t=9"; r=0; t=2, "day";r=7;t=900;pk=:YWJj:, sec;r=0;t=1' }, 2_000],
    ['a limit by the draft without the rest', { ratelimit: '"default";t=4' }, 4_000],
    ['a limit by the draft that has something left', { ratelimit: '"default";r=1;t=2' }, undefined],
    ['a limit by the draft without a time', { ratelimit: '"default";r=0' }, undefined],
    ['a limit by the seventh draft', { ratelimit: 'limit=5, remaining=0, reset=3' }, 3_000],
    ['a limit by the seventh draft that is open', { ratelimit: 'limit=5, remaining=2, reset=3' }, undefined],
    ['a second and a month', { 'x-ratelimit-remaining': '0, 149', 'x-ratelimit-reset': '1, 1419704' }, 1_000],
    ['a reset twice', { 'x-ratelimit-remaining': '0, 0', 'x-ratelimit-reset': '4, 4' }, 4_000],
    ['milliseconds twice', { 'retry-after-ms': '500, 500' }, 500],
    ['a duration', { 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    ['a short duration', { 'x-ratelimit-reset-tokens': '20ms' }, 20],
    [
      'only the limit that is used up',
      {
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1h',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '1.5s',
      },
      1_500,
    ],
    ['a date', { 'anthropic-ratelimit-tokens-reset': '2026-01-01T12:00:04Z' }, 4_000],
    ['nonsense', { 'x-ratelimit-reset': 'tomorrow' }, undefined],
  ])('that name %s', (_what, headers, ms) => {
    expect(retryAfterMs((name) => headers[name], now)).toBe(ms);
  });
});

test.each<[Record<string, string>, boolean]>([
  [{ 'x-ratelimit-remaining': '0' }, true],
  [{ 'x-ratelimit-remaining': '0, 149' }, true],
  [{ ratelimit: '"default";r=0;t=2' }, true],
  [{ ratelimit: 'limit=5, remaining=0, reset=3' }, true],
  [{ ratelimit: '"default";r=1;t=2', 'x-ratelimit-remaining': '' }, false],
  [{}, false],
])('of %j nothing is left: %s', (headers, isUsedUp) => {
  expect(isLimitUsedUp((name) => headers[name])).toBe(isUsedUp);
});
