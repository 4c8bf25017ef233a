import { mapBounded } from '../../../src/concurrency.ts';
import { type ProcessRun, runProcesses } from './run.ts';

/** Runs `runs` seeds from `seed` on, `parallel` at once. */
export function runMany(options: {
  readonly runs: number;
  readonly seed: number;
  readonly parallel: number;
  readonly onEnd?: (run: ProcessRun) => void;
}): Promise<readonly ProcessRun[]> {
  const seeds = Array.from({ length: options.runs }, (_, n) => options.seed + n);
  return mapBounded(seeds, options.parallel, async (seed) => {
    const run = await runProcesses(seed);
    options.onEnd?.(run);
    return run;
  });
}

/** What a run broke, a line each, with the seed that makes the same plan. */
export const violationLines = ({ seed, violations }: ProcessRun): string =>
  violations.map((what) => `seed ${seed}: ${what}`).join('\n');

/** The table that closes a campaign. */
export function processTable(runs: readonly ProcessRun[]): string {
  const faults = new Map<string, number>();
  for (const run of runs) for (const [kind, times] of run.faults) faults.set(kind, (faults.get(kind) ?? 0) + times);
  const sum = (of: (run: ProcessRun) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const most = (of: (run: ProcessRun) => number): string => `${(Math.max(...runs.map(of)) / 1_000).toFixed(1)} s`;
  const line = (name: string, value: number | string): string => `${name.padEnd(44)} ${String(value).padStart(9)}`;
  return [
    line('runs', runs.length),
    line(
      'items',
      sum(({ items }) => items),
    ),
    line(
      'calls',
      sum(({ calls }) => calls),
    ),
    line(
      'answered calls that were repeated',
      sum(({ repeated }) => repeated),
    ),
    ...[...faults].toSorted().map(([kind, times]) => line(`fault: ${kind}`, times)),
    line(
      'longest run',
      most(({ tookMs }) => tookMs),
    ),
    line(
      'longest from the last fault to the end',
      most(({ endedAfterMs }) => endedAfterMs),
    ),
    line('runs that broke a promise', runs.filter(({ violations }) => violations.length > 0).length),
  ].join('\n');
}
