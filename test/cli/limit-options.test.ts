import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type LimitFlags, limitsOf, tuningOf, withJobLimits, withTuning } from '../../src/cli/limit-options.ts';
import { limitsText } from '../../src/cli/view/limits-text.ts';
import { UsageError } from '../../src/task/errors.ts';

const parsed = (add: (command: Command) => Command, args: readonly string[]) =>
  limitsOf(add(new Command()).exitOverride().parse(args, { from: 'user' }).opts<LimitFlags>());

describe('the options of limits', () => {
  it.each([
    [[], {}],
    [['--concurrency', '1'], { maxConcurrency: 1 }],
    [['--rate', '50/s'], { rate: { limit: 50, perMs: 1_000 } }],
    [['--rate', '3000/min'], { rate: { limit: 3_000, perMs: 60_000 } }],
    [['--rate', '0.1/s'], { rate: { limit: 0.1, perMs: 1_000 } }],
    [['--units', '100000/min'], { units: { limit: 100_000, perMs: 60_000 } }],
    [['--ramp', '30s'], { rampMs: 30_000 }],
    [['--no-adaptive'], { adaptive: false }],
    [['--breaker', '50%'], { breaker: 50 }],
    [['--breaker', '12.5%'], { breaker: 12.5 }],
    [['--tolerate', '5%'], { toleratedFailurePercentage: 5 }],
    [['--tolerate', '100'], { toleratedFailureCount: 100 }],
    [['--tolerate', '0'], { toleratedFailureCount: 0 }],
    [['--min-succeeded', '10'], { minSuccessful: 10 }],
    [['--budget', '5USD'], { budgetUsd: 5 }],
    [['--budget', '$0.5'], { budgetUsd: 0.5 }],
    [['--canary', '100', '--canary-wait'], { canary: 100, canaryWait: true }],
    [['--priority', '5'], { priority: 5 }],
  ])('%j mean %j', (args, limits) => {
    expect(parsed(withJobLimits, args)).toEqual(limits);
  });

  it.each([
    ['--concurrency', '0'],
    ['--rate', '50'],
    ['--rate', '0/s'],
    ['--rate', '50/week'],
    ['--units', 'many'],
    ['--breaker', '50'],
    ['--breaker', '0%'],
    ['--breaker', '101%'],
    ['--tolerate', '-1'],
    ['--tolerate', '101%'],
    ['--min-succeeded', '0'],
    ['--budget', '0USD'],
    ['--budget', '5EUR'],
    ['--canary', 'a few'],
    ['--priority', '6'],
    ['--ramp', '30'],
  ])('%s %s is refused in one sentence that names the option', (option, text) => {
    expect(() => parsed(withJobLimits, [`${option}=${text}`])).toThrow(UsageError);
    expect(() => parsed(withJobLimits, [`${option}=${text}`])).toThrow(new RegExp(`^expected ${option} .*"${text}"`));
  });

  it('takes a limit of a running job away by "none"', () => {
    expect(
      parsed(withTuning, [
        '--concurrency',
        'none',
        '--rate',
        '5/s',
        '--breaker',
        'none',
        '--tolerate',
        'none',
        '--budget',
        '3USD',
      ]),
    ).toEqual({
      maxConcurrency: null,
      rate: { limit: 5, perMs: 1_000 },
      breaker: null,
      toleratedFailurePercentage: null,
      toleratedFailureCount: null,
      budgetUsd: 3,
    });
  });

  it.each([
    ['5%', { toleratedFailurePercentage: 5, toleratedFailureCount: null }],
    ['100', { toleratedFailurePercentage: null, toleratedFailureCount: 100 }],
  ])('gives a running job one number of tolerated failures in place of the other: --tolerate %s', (text, limits) => {
    const flags = withTuning(new Command()).parse(['--tolerate', text], { from: 'user' }).opts<LimitFlags>();
    expect(tuningOf(flags)).toEqual(limits);
    expect(tuningOf({})).toEqual({});
  });

  it('says in words what they mean', () => {
    const text = limitsText(
      { breaker: 50, canary: 1, canaryWait: true, budgetUsd: 5 },
      { workers: 5, concurrency: 40 },
    );
    expect(text).toBe(
      '5 workers × 40 calls = up to 200 calls at once; 1 item first, then it pauses; pauses when 50% of the last calls fail; pauses when it has cost $5',
    );
  });
});
