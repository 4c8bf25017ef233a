import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { time, wholeNumber, withLimits, withTarget } from '../../src/cli/options.ts';

describe('time', () => {
  const parse = time('--timeout', 240_000);

  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['2min', 120_000],
    ['240s', 240_000],
    ['1ms', 1],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parse(text)).toBe(ms);
  });

  it.each(['', '10', '10 s', '-1s', '0s', '0.4ms', '241s', '5m', '1h', 'ten seconds', '1e3s', '١٠s'])(
    'refuses "%s"',
    (text) => {
      expect(() => parse(text)).toThrow(
        `expected --timeout to be a time from 1ms to 240s, as 500ms, 10s, or 2m, got "${text}"`,
      );
    },
  );
});

describe('wholeNumber', () => {
  const parse = wholeNumber('--concurrency', 1, 500);

  it.each([
    ['1', 1],
    ['500', 500],
    ['0100', 100],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it.each(['', '0', '501', '-1', '1.5', '1e2', 'NaN', 'Infinity', '0x10', '99999999999999999999'])(
    'refuses "%s"',
    (text) => {
      expect(() => parse(text)).toThrow(`expected --concurrency to be a whole number from 1 to 500, got "${text}"`);
    },
  );
});

describe('the options of a command', () => {
  it('come as numbers and milliseconds, wherever they stand among the arguments', async () => {
    const command = withLimits(withTarget(new Command('x').argument('[items...]').action(() => {})));
    await command.parseAsync(['a', '--timeout', '10s', 'b', '--attempts=5', '--', '--c'], {
      from: 'user',
    });
    expect(command.opts()).toEqual({ target: 'embedded', timeout: 10_000, attempts: 5 });
    expect(command.args).toEqual(['a', 'b', '--c']);
  });
});
