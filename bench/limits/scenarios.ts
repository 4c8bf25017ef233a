import type { Fanloop } from '../../src/client/fanloop.ts';
import { estimateCost } from '../../src/folder/cost.ts';
import type { LimitRow } from '../results.ts';
import type { MeterServer, Seen } from './meter.ts';

/** A job under a limit, whose calls take a while. */
interface Scenario {
  readonly name: string;
  readonly items: number;
  readonly ms: number;
  readonly limits: { readonly maxConcurrency?: number; readonly rate?: string; readonly units?: string };
  /** What a call is thought to take, and what it takes. */
  readonly units?: (n: number) => { readonly units: number; readonly used: number };
  /** The part of the limit that was used in a time, and the worst excess: 1 is the limit itself. */
  readonly used: (seen: Seen, tookMs: number) => number;
  readonly worst: (seen: Seen) => number;
}

const seconds = (ms: number): number => ms / 1_000;
const byRate = (perSecond: number): Pick<Scenario, 'used' | 'worst'> => ({
  used: (seen, tookMs) => seen.calls / (perSecond * seconds(tookMs)),
  worst: ({ worstSecond }) => worstSecond / perSecond,
});
const byCalls = (most: number): Pick<Scenario, 'used' | 'worst'> => ({
  used: ({ area }, tookMs) => area / (most * tookMs),
  worst: (seen) => seen.most / most,
});
/** Estimates that are right within 20 %. */
const estimates = (n: number): { units: number; used: number } => ({ units: 1_000, used: 800 + ((n * 7) % 41) * 10 });

const scenarios: readonly Scenario[] = [
  { name: '1 at once, 200 ms', items: 400, ms: 200, limits: { maxConcurrency: 1 }, ...byCalls(1) },
  { name: '20 at once, 2 s', items: 700, ms: 2_000, limits: { maxConcurrency: 20 }, ...byCalls(20) },
  { name: '50/s, 300 ms', items: 3_500, ms: 300, limits: { rate: '50/s' }, ...byRate(50) },
  { name: '2,000/s, 200 ms', items: 140_000, ms: 200, limits: { rate: '2000/s' }, ...byRate(2_000) },
  {
    name: '100,000 units a minute, 4 s',
    items: 150,
    ms: 4_000,
    limits: { units: '100000/min' },
    units: estimates,
    used: (seen, tookMs) => seen.units / ((100_000 / 60) * seconds(tookMs)),
    worst: ({ worstMinute }) => worstMinute / 100_000,
  },
];

/** Runs each scenario on real processes, one after the other, and judges it by the server. */
export async function runScenarios(fanloop: Fanloop, server: MeterServer, scale: number): Promise<readonly LimitRow[]> {
  const rows: LimitRow[] = [];
  for (const [n, scenario] of scenarios.entries())
    rows.push(await run(scenario, { fanloop, server, scale, id: `s${n}` }));
  return rows;
}

async function run(
  { name, items, ms, limits, units, used, worst }: Scenario,
  at: { readonly fanloop: Fanloop; readonly server: MeterServer; readonly scale: number; readonly id: string },
): Promise<LimitRow> {
  const { fanloop, server, scale, id } = at;
  const count = Math.max(10, Math.round(items * scale));
  const url = `${server.url}/${id}`;
  const list = Array.from({ length: count }, (_, n) => ({ url, ms, ...units?.(n) }));
  // Functions that start cost their time once: about a second of the same job starts those that it needs.
  const first = list.slice(0, Math.ceil(count / 70)).map((item) => ({ ...item, url: `${server.url}/first` }));
  await (await fanloop.submit('call', first, { limits, inline: false })).summary();
  const startedAt = Date.now();
  const job = await fanloop.submit('call', list, { limits, inline: false });
  const summary = await job.summary();
  const seen = await server.seen(id);
  if (summary.totals.succeeded !== count || seen.calls !== count)
    throw new Error(
      `expected ${count} calls of "${name}" that succeed, got ${seen.calls} and ${summary.totals.succeeded}`,
    );
  const { s3Writes, s3Reads, sqsRequests } = summary.totals;
  return {
    name,
    items: count,
    tookMs: seen.lastAt - startedAt,
    used: used(seen, seen.lastAt - startedAt),
    worst: worst(seen),
    firstCallMs: seen.firstAt - startedAt,
    requests: { s3Writes, s3Reads, sqs: sqsRequests },
    usd: estimateCost(summary).total,
  };
}
