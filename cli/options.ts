import { type Command, Option } from 'commander';
import { UsageError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/** Where a command works: an in-process cloud, LocalStack, or AWS. */
export const targets = ['embedded', 'localstack', 'aws'] as const;
export type TargetName = (typeof targets)[number];

/** Options that say which cloud is meant; parsed, not yet checked against each other. */
export interface TargetOptions {
  readonly target: TargetName;
  readonly state?: string;
  readonly stack?: string;
  readonly endpoint?: string;
  readonly workers?: number;
}

/** Options that limit a job's calls; the task's own values hold where one is absent. */
export interface LimitOptions {
  readonly concurrency?: number;
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
      new Option('--target <name>', 'where to run').choices(targets).default('embedded').helpGroup('Target options:'),
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
      new Option('--endpoint <url>', 'address of LocalStack (default: http://127.0.0.1:4566)').helpGroup(
        'Target options:',
      ),
    );
}

/** Adds `--workers`, which only a command that makes the stack can change. */
export const withWorkers = (command: Command): Command =>
  command.addOption(
    new Option('--workers <n>', `workers that run at once (default: ${limits.workers})`).argParser(
      wholeNumber('--workers', limits.minWorkers, limits.maxWorkers),
    ),
  );

/** Adds `--concurrency`, `--timeout`, and `--attempts`. */
export const withLimits = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--concurrency <n>',
        `calls that one worker awaits at once (default: ${limits.concurrency})`,
      ).argParser(wholeNumber('--concurrency', 1, limits.maxConcurrency)),
    )
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

/** Refuses options that mean nothing on the chosen target. @throws UsageError `InvalidOptions` */
export function checkTarget(options: TargetOptions): void {
  const embedded = options.target === 'embedded';
  if (embedded && options.endpoint !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      '--endpoint needs --target localstack or aws; the embedded cloud chooses its own port',
    );
  }
  if (!embedded && options.state !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      `--state needs --target embedded; on ${options.target} a job is kept in the stack's bucket`,
    );
  }
  if (!embedded && options.workers !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      `--workers is a property of the deployed stack: "fanloop deploy --target ${options.target} --workers ${options.workers}" changes it`,
    );
  }
  if (options.endpoint !== undefined && !URL.canParse(options.endpoint)) {
    throw new UsageError(
      'InvalidOptions',
      `expected --endpoint to be a URL as http://127.0.0.1:4566, got "${options.endpoint}"`,
    );
  }
}
