import { type Command, Option } from 'commander';
import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';
import { type JobLimits, maxAtOnce } from '../task/job-limits.ts';
import { parseRate } from '../task/rate.ts';
import { time, wholeNumber } from './options.ts';

/** What takes a limit of a running job away. Commander drops a parser's null. */
const none = 'none';
type None = typeof none;

/** Options that limit a job as a whole; each is also a field of `limits` in the client and in the fan-out's payload. */
export interface LimitFlags {
  readonly concurrency?: number | None;
  readonly rate?: JobLimits['rate'] | None;
  readonly units?: JobLimits['units'] | None;
  readonly ramp?: number | None;
  readonly adaptive?: boolean;
  readonly breaker?: number | None;
  readonly tolerate?: { readonly percentage: number } | { readonly count: number } | None;
  readonly minSucceeded?: number | None;
  readonly budget?: number | None;
  readonly canary?: number;
  readonly canaryWait?: boolean;
  readonly priority?: number | None;
}

interface Flag {
  readonly flags: string;
  readonly about: string;
  readonly parse: (text: string) => unknown;
  /** It says something of a job's start only. */
  readonly atStart?: boolean;
}

const maxRampMs = 86_400_000;
const maxItems = 100_000_000;

const described: readonly Flag[] = [
  {
    flags: '--concurrency <n>',
    about: `calls at once, of all workers together (default: ${limits.concurrency} a worker)`,
    parse: wholeNumber('--concurrency', 1, maxAtOnce),
  },
  {
    flags: '--rate <rate>',
    about: 'calls a second or minute, of all workers together, as 50/s, 3000/min, 0.1/s',
    parse: (text) => parseRate(text, '--rate'),
  },
  {
    flags: '--units <rate>',
    about: "what the task's units(item) may add up to, as 100000/min",
    parse: (text) => parseRate(text, '--units'),
  },
  { flags: '--ramp <time>', about: 'open the limits over this time, as 30s', parse: time('--ramp', maxRampMs) },
  {
    flags: '--breaker <share>',
    about: 'pause when so many of the last calls failed, as 50%',
    parse: percentage('--breaker'),
  },
  { flags: '--tolerate <n>', about: 'end when more items failed than this, as 5% or 100', parse: tolerance },
  {
    flags: '--min-succeeded <n>',
    about: 'end as soon as so many items have succeeded',
    parse: wholeNumber('--min-succeeded', 1, maxItems),
  },
  { flags: '--budget <usd>', about: 'pause when the job has cost so much, as 5USD', parse: dollars },
  {
    flags: '--canary <n>',
    about: 'run n items first, and go on when they did well',
    parse: wholeNumber('--canary', 1, maxItems),
    atStart: true,
  },
  {
    flags: '--priority <n>',
    about: 'share of a worker where jobs meet, 1 to 5 (default: 3)',
    parse: wholeNumber('--priority', 1, 5),
  },
];

const group = 'Limits of the job as a whole:';

/** Adds the options that limit a new job. */
export function withJobLimits(command: Command): Command {
  for (const { flags, about, parse } of described)
    command.addOption(new Option(flags, about).argParser(parse).helpGroup(group));
  return command
    .addOption(new Option('--canary-wait', 'pause behind the canary in any case').helpGroup(group))
    .addOption(new Option('--no-adaptive', 'do not slow down by itself when calls are refused').helpGroup(group));
}

/** Adds the options that change limits of a running job; `none` takes one away. */
export function withTuning(command: Command): Command {
  for (const { flags, about, parse, atStart } of described) {
    if (atStart === true) continue;
    const orNone = (text: string): unknown => (text === none ? none : parse(text));
    command.addOption(new Option(flags, `${about}; none takes it away`).argParser(orNone).helpGroup(group));
  }
  return command
    .addOption(new Option('--adaptive', 'slow down by itself when calls are refused').helpGroup(group))
    .addOption(new Option('--no-adaptive', 'do not').helpGroup(group));
}

/** The limits that were given, by their names in a job. */
export function limitsOf(flags: LimitFlags): { readonly [Name in keyof JobLimits]?: JobLimits[Name] | null } {
  const {
    concurrency,
    rate,
    units,
    ramp,
    adaptive,
    breaker,
    tolerate,
    minSucceeded,
    budget,
    canary,
    canaryWait,
    priority,
  } = flags;
  const named = {
    maxConcurrency: concurrency,
    rate,
    units,
    rampMs: ramp,
    // Commander sets `adaptive` to true for a `--no-adaptive` that was not given.
    adaptive: adaptive === true ? undefined : adaptive,
    breaker,
    toleratedFailurePercentage:
      typeof tolerate === 'object' && 'percentage' in tolerate ? tolerate.percentage : noneOf(tolerate),
    toleratedFailureCount: typeof tolerate === 'object' && 'count' in tolerate ? tolerate.count : noneOf(tolerate),
    minSuccessful: minSucceeded,
    budgetUsd: budget,
    canary,
    canaryWait,
    priority,
  };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, value === none ? null : value]));
}

/** The limits of a running job that change: one number of tolerated failures takes the place of the other. */
export function tuningOf(flags: LimitFlags): ReturnType<typeof limitsOf> {
  const nothing = { toleratedFailurePercentage: null, toleratedFailureCount: null };
  return { ...(flags.tolerate === undefined ? {} : nothing), ...limitsOf(flags) };
}

const noneOf = (value: unknown): None | undefined => (value === none ? none : undefined);

function percentage(option: string): (text: string) => number {
  return (text) => {
    const value = percentOf(text);
    if (value !== undefined && value > 0) return value;
    throw new UsageError('InvalidOptions', `expected ${option} to be a share as 50%, over 0% to 100%, got "${text}"`);
  };
}

function percentOf(text: string): number | undefined {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text) ?? [];
  const value = Number(digits ?? Number.NaN);
  return value >= 0 && value <= 100 ? value : undefined;
}

function tolerance(text: string): { readonly percentage: number } | { readonly count: number } {
  const share = percentOf(text);
  if (share !== undefined) return { percentage: share };
  if (/^\d{1,9}$/.test(text)) return { count: Number(text) };
  throw new UsageError(
    'InvalidOptions',
    `expected --tolerate to be a share as 5% or a number of items as 100, got "${text}"`,
  );
}

function dollars(text: string): number {
  const [, amount] = /^\$?(\d{1,9}(?:\.\d{1,6})?)\s*(?:USD|\$)?$/i.exec(text.trim()) ?? [];
  const value = Number(amount ?? Number.NaN);
  if (value > 0) return value;
  throw new UsageError('InvalidOptions', `expected --budget to be an amount as 5USD, over 0, got "${text}"`);
}
