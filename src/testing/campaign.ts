import { faultKinds } from './faults.ts';
import { runScenario, type ScenarioResult, scenarioOf } from './scenario.ts';

/** What many runs came to. */
export interface Campaign {
  readonly runs: number;
  readonly items: number;
  readonly calls: number;
  /** Redrives, and the items that ran again. */
  readonly passes: number;
  readonly redriven: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly failures: readonly ScenarioResult[];
}

/** Runs `runs` scenarios from `seed` on, one after another; `onFailure` hears of each that broke a promise. */
export async function runCampaign(options: {
  readonly runs: number;
  readonly seed: number;
  readonly onFailure?: (result: ScenarioResult) => void;
}): Promise<Campaign> {
  const faults = new Map<string, number>(faultKinds.map((kind) => [kind, 0]));
  const failures: ScenarioResult[] = [];
  let items = 0;
  let calls = 0;
  let passes = 0;
  let redriven = 0;
  for (let n = 0; n < options.runs; n++) {
    const result = await runScenario(scenarioOf(options.seed + n));
    items += result.items;
    calls += result.history.calls.length;
    const again = result.run?.passes.slice(1) ?? [];
    passes += again.length;
    redriven += again.reduce((sum, { indexes }) => sum + indexes.length, 0);
    for (const [kind, count] of result.history.countFaults()) faults.set(kind, (faults.get(kind) ?? 0) + count);
    if (result.violations.length === 0) continue;
    failures.push(result);
    options.onFailure?.(result);
  }
  return { runs: options.runs, items, calls, passes, redriven, faults, failures };
}

/** A failed run in a line a violation, each with the seed that replays it. */
export function failureLines({ seed, violations }: ScenarioResult): string {
  return violations.map(({ rule, what }) => `seed ${seed}: ${rule}: ${what}`).join('\n');
}

/** The table that closes a campaign. */
export function campaignTable({ runs, items, calls, passes, redriven, faults, failures }: Campaign): string {
  const rules = new Map<string, number>();
  for (const { violations } of failures)
    for (const rule of new Set(violations.map((violation) => violation.rule)))
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
  const line = (name: string, value: number | string): string => `${name.padEnd(44)} ${String(value).padStart(9)}`;
  return [
    line('runs', runs),
    line('items', items),
    line('calls', calls),
    line('redrives', passes),
    line('items that ran again', redriven),
    ...[...faults].filter(([kind]) => kind !== 'thaw').map(([kind, count]) => line(`fault: ${kind}`, count)),
    line('runs that broke a promise', failures.length),
    ...[...rules].map(([rule, count]) => line(`broken: ${rule}`, count)),
  ].join('\n');
}
