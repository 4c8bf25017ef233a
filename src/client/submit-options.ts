import { limits } from '../limits.ts';
import { nearestName } from '../nearest.ts';
import { UsageError } from '../task/errors.ts';

/** Largest values of the options that are numbers; the least of each is 1. */
const mostOf = {
  concurrency: limits.maxConcurrency * limits.maxWorkers,
  perWorker: limits.maxConcurrency,
  timeoutMs: limits.maxTimeoutMs,
  attempts: limits.maxAttempts,
} as const;

const names: ReadonlySet<string> = new Set([
  ...Object.keys(mostOf),
  'inline',
  'limits',
  'onSubmit',
  'secretHeaders',
  'signal',
  'withItem',
]);

/**
 * Refuses options that a program in JavaScript got wrong, before anything is started: a name that is none would be passed over.
 *
 * @throws UsageError `InvalidOptions`
 */
export function requireSubmitOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new UsageError('InvalidOptions', `expected options as an object, got ${textOf(options)}`);
  const given: ReadonlyMap<string, unknown> = new Map(Object.entries(options));
  for (const name of given.keys()) {
    if (names.has(name)) continue;
    const near = nearestName(name, [...names]);
    throw new UsageError(
      'InvalidOptions',
      `expected options among ${[...names].join(', ')}, got "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  for (const [name, most] of Object.entries(mostOf)) {
    const value = given.get(name);
    if (value === undefined || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most)) continue;
    throw new UsageError(
      'InvalidOptions',
      `expected ${name} to be a whole number from 1 to ${most}, got ${textOf(value)}`,
    );
  }
}

/** Refuses what gives no items; a text would give its letters. @throws UsageError `InvalidOptions` */
export function requireItems(items: unknown): void {
  if (typeof items === 'object' && items !== null) {
    if (Symbol.iterator in items || Symbol.asyncIterator in items || 'input' in items) return;
  }
  const got = items === null || items === undefined ? String(items) : `a value of type ${typeof items}`;
  throw new UsageError(
    'InvalidOptions',
    `expected items as a list, an iterable, an async iterable, or {input: "s3://…"}, got ${got}`,
  );
}

/** Refuses what is no task. @throws UsageError `UnknownTask` */
export function requireTask(task: unknown): void {
  if (typeof task === 'string' || (typeof task === 'object' && task !== null && 'run' in task)) return;
  throw new UsageError('UnknownTask', `expected a task that defineTask made, or its name, got ${textOf(task)}`);
}

/** JSON has no NaN, no Infinity, and no undefined. */
const textOf = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
