import type {
  CostRow,
  GrowthRow,
  ImportRow,
  LimitsResult,
  LoopResult,
  PartsResult,
  Results,
  RowsRow,
  StartRow,
  SuiteResult,
  WorkerRequests,
} from './results.ts';

/** Prints one comparison; ratios are to the bare script of the same run. */
export function printSuite({ title, contenders, skipped, rounds, bound }: SuiteResult): void {
  console.log(`\n${title}, median of ${rounds}`);
  const bare = contenders.find(({ name }) => name === 'bare')?.cpuUs;
  console.log(line('', 'CPU an item', '× bare', 'wall', 'items/s', 'busy', 'first result'));
  for (const one of contenders) {
    console.log(
      line(
        one.name,
        micros(one.cpuUs),
        bare === undefined ? '' : (one.cpuUs / bare).toFixed(2),
        seconds(one.wallMs),
        Math.round(one.perSecond).toLocaleString('en-US'),
        one.busy === undefined ? '' : one.busy.toFixed(3),
        one.firstResultMs === undefined ? '' : seconds(one.firstResultMs),
      ),
    );
  }
  if (bound !== undefined)
    console.log(
      `busy is ${bound.inOrder.toFixed(3)} at most in the order of the items, ${bound.longestFirst.toFixed(3)} were it known which calls are long`,
    );
  for (const { name, why } of skipped) console.log(`${name.padEnd(12)}skipped: ${why}`);
}

export function printLoop({ bareUs, workerUs, rounds }: LoopResult): void {
  console.log(`\nthe loop alone against nginx, least of ${rounds}`);
  console.log(
    `undici.request ${micros(bareUs)} an item, the worker ${micros(workerUs)}: ${(workerUs / bareUs).toFixed(2)} ×`,
  );
}

export function printStart(rows: readonly StartRow[]): void {
  console.log('\nstarts: one item of 10 ms, from the start of the command to its end');
  for (const { name, rounds, wallMs, cpuMs } of rows)
    console.log(
      `${name.padEnd(32)}${seconds(wallMs.least).padStart(9)} wall, median ${seconds(wallMs.median)};  ${seconds(cpuMs.least)} CPU, median ${seconds(cpuMs.median)};  ${rounds} runs`,
    );
}

export function printParts(parts: PartsResult): void {
  const { cutItemsPerSecond, cutCheckedItemsPerSecond = Number.NaN, resultsMegabytesPerSecond } = parts;
  console.log('\nthe ends of a job, by processor time, least of 5');
  console.log(`cut where it was checked ${Math.round(cutCheckedItemsPerSecond).toLocaleString('en-US')} items/s`);
  console.log(`cut and checked ${Math.round(cutItemsPerSecond).toLocaleString('en-US')} items/s`);
  console.log(`rows written    ${Math.round(resultsMegabytesPerSecond)} MB/s`);
}

export function printImports(rows: readonly ImportRow[]): void {
  console.log('\nwhat a function takes to load: processor time, the least');
  const text = ({ coldMs, cachedMs }: Pick<ImportRow, 'coldMs' | 'cachedMs'>): string =>
    `${coldMs.toFixed(0).padStart(5)} ms, ${cachedMs.toFixed(0)} ms where V8 has compiled it before`;
  for (const { name, rounds, sdk, ...here } of rows) {
    const more = sdk === undefined ? '' : `;  with the SDK ${text(sdk)}`;
    console.log(`${name.padEnd(14)}${text(here)}${more};  ${rounds} runs`);
  }
}

export function printGrowthHead(): void {
  console.log('\njobs whose items wait for nothing, two workers on this machine');
}

export function printGrowth(row: GrowthRow): void {
  const { items, wallMs, chunks, turns, requests, ofTurns, usd, peakMb, heldMb = {} } = row;
  const each = (count: number): string => (count / chunks).toFixed(2);
  const { s3Writes, s3Reads, sqs } = requests;
  console.log(
    `${items.toLocaleString('en-US').padStart(10)}  ${seconds(wallMs).padStart(9)}, ${((wallMs * 1_000) / items).toFixed(1)} µs an item  ${chunks} chunks, ${turns} turns, ${requestText(requests)} (${each(s3Writes)}, ${each(s3Reads)}, ${each(sqs)} a chunk)  turns ${(100 * ofTurns).toFixed(1)} % of $${usd.toFixed(5)}`,
  );
  for (const [name, mb] of Object.entries(peakMb))
    console.log(`${' '.repeat(12)}${name.padEnd(12)}${mb} MB at most, by quarters ${heldMb[name]?.join(', ') ?? '–'}`);
}

export function printRows(rows: readonly RowsRow[]): void {
  console.log('\nrows of 1,000,000 items, from the start of the command to its end');
  for (const { name, rounds, bytes, wallMs, cpuMs, megabytesPerSecond } of rows)
    console.log(
      `${name.padEnd(26)}${Math.round(megabytesPerSecond).toLocaleString('en-US').padStart(7)} MB/s  ${seconds(wallMs)} wall, ${seconds(cpuMs)} CPU;  ${Math.round(bytes / 1e6)} MB, least of ${rounds}`,
    );
}

export function printCosts(costs: readonly CostRow[]): void {
  console.log('\na million calls of 200 ms, 2 % of which fail once');
  for (const { name, how, usd } of costs) console.log(`${name.padEnd(26)}${`$${usd.toFixed(2)}`.padStart(8)}  ${how}`);
}

/** Prints what became of limits. */
export function printLimits({ scenarios = [], live = [], steering = [] }: Partial<LimitsResult>): void {
  if (scenarios.length > 0) console.log('\nlimits, as the server saw them; requests of the workers to S3 and SQS');
  for (const { name, items, tookMs, used, worst, firstCallMs, requests, usd } of scenarios)
    console.log(
      `${name.padEnd(30)}${String(items).padStart(8)}  ${seconds(tookMs).padStart(9)}  used ${used.toFixed(3)}  worst ${worst.toFixed(3)}  first call ${seconds(firstCallMs)}  ${requestText(requests)}  $${usd.toFixed(4)}`,
    );
  if (live.length > 0) console.log('\njobs that are changed, meet, or are refused');
  for (const { name, value, goal } of live) console.log(`${name.padEnd(62)}${value.padStart(9)}   ${goal}`);
  if (steering.length > 0) console.log('\nsteering beside what the workers cost, simulated');
  for (const { name, requests, turns, ofCompute, allOfCompute, usd } of steering)
    console.log(
      `${name.padEnd(22)}${requestText(requests)}  ${(100 * ofCompute).toFixed(1)} % for the limits, ${(100 * allOfCompute).toFixed(1)} % with results; ${turns} turns  $${usd.toFixed(4)}`,
    );
}

const requestText = ({ s3Writes, s3Reads, sqs }: WorkerRequests): string =>
  `${Math.round(s3Writes)} PUT, ${Math.round(s3Reads)} GET, ${Math.round(sqs)} SQS`;

/** The measured comparison as the README has it: a row a contender, dearest last. */
export function readmeTable({ slow, saturated }: Pick<Results, 'slow' | 'saturated'>): string {
  if (slow === undefined) return '';
  const [bare, fast] = [slow, saturated].map((suite) => suite?.contenders.find(({ name }) => name === 'bare')?.cpuUs);
  const ratio = (us: number | undefined, of: number | undefined): string =>
    us === undefined || of === undefined ? '' : `${(us / of).toFixed(1)} ×`;
  const rows = [...slow.contenders]
    .sort((a, b) => a.cpuUs - b.cpuUs)
    .map(({ name, how, cpuUs, busy }) => {
      const nginx = saturated?.contenders.find((one) => one.name === name);
      const each = nginx === undefined ? '' : Math.round(nginx.perSecond).toLocaleString('en-US');
      const cells = [how, micros(cpuUs), ratio(cpuUs, bare), busy?.toFixed(2) ?? '', ratio(nginx?.cpuUs, fast), each];
      return `| ${cells.join(' | ')} |`;
    });
  return [
    `| | ${slow.title}: CPU an item | | slots in use | ${saturated?.title ?? 'nginx'}: CPU | items/s |`,
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const micros = (us: number): string => (us < 10_000 ? `${us.toFixed(1)} µs` : `${(us / 1_000).toFixed(0)} ms`);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

const line = (name: string, ...cells: readonly string[]): string =>
  name.padEnd(12) + cells.map((cell) => cell.padStart(14)).join('');
