import { type Command, Option } from 'commander';
import { limits } from '../limits.ts';
import { defaultTarget, targetNames } from '../targets/target-options.ts';
import { UsageError } from '../task/errors.ts';

/** Options that limit each call of a job; the task's own values hold where one is absent. */
export interface LimitOptions {
  readonly timeout?: number;
  readonly attempts?: number;
}

/** Options that choose what is written while a job runs. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds the options that choose a target. */
export function withTarget(command: Command): Command {
  return command
    .addOption(
      new Option('--target <name>', 'where to run')
        .choices(targetNames)
        .default(defaultTarget)
        .helpGroup('Target options:'),
    )
    .addOption(
      new Option('--state <dir>', 'folder of the embedded target (default: your cache folder)').helpGroup(
        'Target options:',
      ),
    )
    .addOption(
      new Option('--stack <name>', 'name of the CloudFormation stack (default: Fanloop)').helpGroup('Target options:'),
    )
    .addOption(
      new Option('--name <id>', 'the Fanloop construct in the stack (default: the only one)').helpGroup(
        'Target options:',
      ),
    )
    .addOption(
      new Option('--endpoint <url>', 'address of LocalStack (default: http://127.0.0.1:4566)').helpGroup(
        'Target options:',
      ),
    )
    .addOption(
      new Option('--tasks <dir>', 'folder of your tasks (default: tasks/ beside the nearest package.json)').helpGroup(
        'Target options:',
      ),
    );
}

/** Adds `--workers`, which only a command that makes the stack can change; one alone works here, and never on AWS. */
export const withWorkers = (command: Command, least = 1): Command =>
  command.addOption(
    new Option('--workers <n>', `workers that run at once (default: ${limits.workers})`).argParser(
      wholeNumber('--workers', least, limits.maxWorkers),
    ),
  );

/** Adds `--timeout` and `--attempts`. */
export const withLimits = (command: Command): Command =>
  command
    .addOption(
      new Option('--timeout <time>', "limit of one attempt, as 500ms, 10s, or 2m (default: the task's)").argParser(
        time('--timeout', limits.maxTimeoutMs),
      ),
    )
    .addOption(
      new Option('--attempts <n>', "tries of an item, the first included (default: the task's)").argParser(
        wholeNumber('--attempts', 1, limits.maxAttempts),
      ),
    );

/** Adds `--json` and `--quiet`. */
export const withOutput = (command: Command): Command =>
  command.option('--json', 'write events as NDJSON to stdout').option('--quiet', 'say nothing but errors');

/** A parser of whole numbers in a range. @throws UsageError `InvalidOptions` */
export function wholeNumber(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(
      'InvalidOptions',
      `expected ${option} to be a whole number from ${min} to ${max.toLocaleString('en-US')}, got "${text}"`,
    );
  };
}

const ageUnits: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A parser of ages (`12h`, `7d`, `4w`) to milliseconds. @throws UsageError `InvalidOptions` */
export function age(option: string): (text: string) => number {
  return (text) => {
    const [, amount = '', unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
    const ms = Number(amount) * (ageUnits[unit] ?? Number.NaN);
    if (ms > 0) return ms;
    throw new UsageError('InvalidOptions', `expected ${option} to be a time as 12h, 7d, or 4w, got "${text}"`);
  };
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000 };

/** A parser of durations (`500ms`, `1.5s`, `2m`) to milliseconds, from 1 ms on. @throws UsageError `InvalidOptions` */
export function time(option: string, maxMs: number): (text: string) => number {
  return (text) => {
    const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|min)$/.exec(text) ?? [];
    const ms = amount === undefined ? Number.NaN : Math.round(Number(amount) * (units[unit] ?? Number.NaN));
    if (ms >= 1 && ms <= maxMs) return ms;
    throw new UsageError(
      'InvalidOptions',
      `expected ${option} to be a time from 1ms to ${maxMs / 1_000}s, as 500ms, 10s, or 2m, got "${text}"`,
    );
  };
}
