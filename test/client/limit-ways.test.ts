import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type LimitFlags, limitsOf, withJobLimits } from '../../src/cli/limit-options.ts';
import { readManifest } from '../../src/folder/read.ts';
import { parseRequest } from '../../src/format/request.ts';
import { type JobLimitsInput, limitsSchema, parseLimits } from '../../src/task/job-limits.ts';
import { defineTask } from '../../src/task/task.ts';
import { ClientWorld, repeat } from './client-world.ts';

/** A limit as the command line takes it, and as a field of `limits`: values that are taken, and some that are refused. */
interface Way {
  readonly field: keyof JobLimitsInput;
  readonly flag: string;
  /** Beside it, where it says nothing alone. */
  readonly beside?: JobLimitsInput;
  readonly good: ReadonlyArray<readonly [text: string, value: unknown]>;
  readonly bad: ReadonlyArray<readonly [text: string | undefined, value: unknown]>;
}

const notNumbers: Way['bad'] = [
  [undefined, Number.NaN],
  [undefined, Number.POSITIVE_INFINITY],
  ['1e309', '1e309'],
  ['many', 'many'],
  ['', ''],
];
const rates: Pick<Way, 'good' | 'bad'> = {
  good: [
    ['50/s', '50/s'],
    ['3000/min', '3000/min'],
    ['0.1/s', '0.1/s'],
  ],
  bad: [
    ...notNumbers,
    ['50', '50'],
    ['50', 50],
    ['0/s', '0/s'],
    ['-1/s', '-1/s'],
    ['50/fortnight', '50/fortnight'],
    ['1e309/s', '1e309/s'],
    [undefined, { limit: 0, perMs: 1_000 }],
    [undefined, { limit: 1 }],
  ],
};
const counted: Way['bad'] = [...notNumbers, ['0', 0], ['-1', -1], ['1.5', 1.5], [undefined, '5']];

const ways: readonly Way[] = [
  { field: 'maxConcurrency', flag: '--concurrency', good: [['1', 1]], bad: [...counted, ['100001', 100_001]] },
  { field: 'rate', flag: '--rate', ...rates },
  { field: 'units', flag: '--units', ...rates },
  { field: 'rampMs', flag: '--ramp', good: [['30s', 30_000]], bad: [...notNumbers, ['-1', -1], ['30', '30s']] },
  { field: 'adaptive', flag: '--no-adaptive', good: [['', false]], bad: [[undefined, 'no']] },
  { field: 'breaker', flag: '--breaker', good: [['12.5%', 12.5]], bad: [...notNumbers, ['0%', 0], ['101%', 101]] },
  {
    field: 'toleratedFailurePercentage',
    flag: '--tolerate',
    good: [['5%', 5]],
    bad: [...notNumbers, ['-1%', -1], ['101%', 101]],
  },
  {
    field: 'toleratedFailureCount',
    flag: '--tolerate',
    good: [
      ['0', 0],
      ['100', 100],
    ],
    bad: [...notNumbers, ['-1', -1], ['1.5', 1.5]],
  },
  { field: 'minSuccessful', flag: '--min-succeeded', good: [['10', 10]], bad: counted },
  {
    field: 'budgetUsd',
    flag: '--budget',
    good: [['5USD', 5]],
    bad: [...notNumbers, ['0USD', 0], ['-5USD', -5], ['5 EUR', '5 EUR']],
  },
  { field: 'canary', flag: '--canary', good: [['100', 100]], bad: counted },
  {
    field: 'canaryWait',
    flag: '--canary-wait',
    beside: { canary: 5 },
    good: [['', true]],
    bad: [[undefined, 'yes']],
  },
  { field: 'priority', flag: '--priority', good: [['5', 5]], bad: [...counted, ['6', 6]] },
];

const byCommandLine = (flag: string, text: string) =>
  limitsOf(
    withJobLimits(new Command())
      .exitOverride()
      .parse([text === '' && /adaptive|wait/.test(flag) ? flag : `${flag}=${text}`], { from: 'user' })
      .opts<LimitFlags>(),
  ) as JobLimitsInput;

/** The limits of the job that comes of it. */
const limitsBy = async (given: {
  readonly asked?: JobLimitsInput;
  readonly payload?: unknown;
  readonly own?: unknown;
}) => {
  const world = new ClientWorld(() => 1);
  const [task] = Object.values(world.tasks);
  if (task === undefined) throw new Error('expected a task');
  if (given.own !== undefined) world.tasks = { t: defineTask({ ...task, limits: given.own as JobLimitsInput }) };
  const items = repeat(100);
  const ask = async (): Promise<string> => {
    if (given.payload === undefined)
      return (
        await world.during(world.connect().submit('t', items, given.asked === undefined ? {} : { limits: given.asked }))
      ).id;
    const request = parseRequest({ task: 't', items, options: { limits: given.payload }, wait: false });
    return (await world.ask(request)).jobId;
  };
  const id = await ask();
  return (await readManifest(world.store, { id, pass: 0 }))?.options.limits;
};

const refusal = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected it to be refused');
};

it.each([[5], ['20/s'], [[]]])('refuses %j as limits', async (limits) => {
  const sentence = `limits: expected an object, got ${JSON.stringify(limits)}`;
  expect(await refusal(() => parseLimits(limits as JobLimitsInput))).toBe(sentence);
  const request = { task: 't', items: [], options: { limits } };
  expect(await refusal(() => parseRequest(request))).toBe(`options.${sentence}`);
});

it('refuses a field of a rate that is none by the name of the limit', async () => {
  const limits = { rate: { limit: 10, perMs: 1_000, burst: 5 } } as JobLimitsInput;
  expect(await refusal(() => parseLimits(limits))).toMatch(
    /^limits\.rate: expected a rate as .*, got \{.*"burst":5\}$/,
  );
});

it('refuses to wait behind a canary where there is none, before anything stands', async () => {
  const sentence = 'expected --canary N (canary) beside --canary-wait (canaryWait), got none';
  expect(await refusal(() => limitsBy({ asked: { canaryWait: true } }))).toBe(sentence);
  expect(await refusal(() => limitsBy({ payload: { canaryWait: true } }))).toBe(sentence);
  expect(await limitsBy({ own: { canary: 5 }, asked: { canaryWait: true } })).toEqual({ canary: 5, canaryWait: true });
});

it.each<[JobLimitsInput, JobLimitsInput]>([
  [{ toleratedFailureCount: 7 }, { toleratedFailurePercentage: 15 }],
  [{ toleratedFailurePercentage: 15 }, { toleratedFailureCount: 7 }],
])(
  'a job that tolerates failures by one number is not held to the other one of its task: %j, %j',
  async (own, asked) => {
    expect(await limitsBy({ own: { ...own, priority: 2 }, asked })).toEqual({ ...asked, priority: 2 });
  },
);

it('names every limit', () => {
  expect(new Set(ways.map(({ field }) => field))).toEqual(new Set(Object.keys(limitsSchema().shape)));
});

describe.each(ways)('the limit $field', ({ field, flag, beside, good, bad }) => {
  it.each(good)(
    '%j is the same by the command line, the client, a payload, and a task of its own',
    async (text, value) => {
      const limits = { ...beside, [field]: value } as JobLimitsInput;
      const wanted = limitsSchema().parse(limits);
      expect({ ...beside, ...byCommandLine(flag, text) }).toEqual(wanted);
      expect(await limitsBy({ asked: limits })).toEqual(wanted);
      expect(await limitsBy({ payload: limits })).toEqual(wanted);
      expect(await limitsBy({ own: limits })).toEqual(wanted);
    },
  );

  it.each(bad)(
    '%j, or %j as a value, is refused in one sentence that says what was expected and what was got',
    async (text, value) => {
      const limits = { ...beside, [field]: value };
      const sentence = await refusal(() => defineTask({ ...anyTask, limits: limits as JobLimitsInput }));
      expect(sentence).toMatch(new RegExp(`^limits\\.${field}: expected .*, got `));
      expect(sentence).not.toMatch(/invalid|received|undefined/i);
      expect(await refusal(() => limitsBy({ asked: limits as JobLimitsInput }))).toBe(sentence);
      expect(await refusal(() => limitsBy({ payload: limits }))).toBe(`options.${sentence}`);
      if (text !== undefined)
        expect(await refusal(() => byCommandLine(flag, text))).toMatch(
          new RegExp(`^expected ${flag} to be .*, got ${JSON.stringify(text)}`),
        );
    },
  );
});

const anyTask = {
  description: 'A task',
  input: limitsSchema().shape.canary,
  example: 1,
  run: async () => 1,
};
