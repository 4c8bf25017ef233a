/**
 * Measures Fanloop beside what else makes many calls, on this machine, in one run: `npm run bench`. See README.md here.
 *
 *   --suite slow,tailed,saturated,one,start,loop,parts,rows,imports,cost   only these; and limits,live,growth, which are not among the default ones
 *   --only bare,fanloop                    only these contenders
 *   --rounds 3                             runs of each; the median counts
 *   --scale 0.25                           a part of the items
 *   --out bench/results.json
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mostBusy } from './bound.ts';
import { type Contender, openContenders, type Work } from './contenders.ts';
import { costTable } from './cost.ts';
import { measureGrowth } from './growth.ts';
import { measureImports } from './imports.ts';
import { measureLimits } from './limits/main.ts';
import { measureParts } from './parts.ts';
import { picture } from './picture.ts';
import type { LoopResult, Measured, Results, SuiteResult } from './results.ts';
import { measureRows } from './rows.ts';
import { type DelayServer, has, openDelayServer, openNginx } from './servers.ts';
import { measureStart } from './start.ts';
import {
  printCosts,
  printGrowth,
  printGrowthHead,
  printImports,
  printLimits,
  printLoop,
  printParts,
  printRows,
  printStart,
  printSuite,
  readmeTable,
} from './table.ts';

const { values: asked } = parseArgs({
  options: {
    suite: { type: 'string', default: 'loop,parts,rows,imports,one,start,slow,tailed,saturated,cost' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    out: { type: 'string', default: path.join(import.meta.dirname, 'results.json') },
  },
});
const rounds = Number(asked.rounds);
const scale = Number(asked.scale);
const suites = new Set(asked.suite.split(','));
const atOnce = 200;
/** A start takes a second, and the least of several counts. */
const startRounds = 3;
/** Of the largest job of `growth`. */
const mostItems = 10_000_000;
const home = path.join(tmpdir(), 'fanloop-bench');
mkdirSync(home, { recursive: true });

const contenders = openContenders(home).filter(({ name }) => asked.only?.split(',').includes(name) ?? true);
const results: { -readonly [Key in keyof Results]: Results[Key] } = {
  ...readResults(),
  at: new Date().toISOString(),
  machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}`,
};

// The command and the engine as a package ships them: in a clone whose sources have changed, each start would bundle or read them anew.
execFileSync(process.execPath, [path.join(import.meta.dirname, '..', 'build', 'prebuild.ts')]);

if (suites.has('loop')) await measureLoop();
if (suites.has('parts')) {
  results.parts = await measureParts();
  printParts(results.parts);
}
if (suites.has('rows')) {
  results.rows = measureRows(home, rounds);
  printRows(results.rows);
}
if (suites.has('imports')) {
  results.imports = measureImports(home, startRounds * rounds);
  printImports(results.imports);
}
if (suites.has('one')) await measureOne();
if (suites.has('start')) {
  results.start = measureStart(home, startRounds * rounds);
  printStart(results.start);
}
if (suites.has('slow')) await measureSlow();
if (suites.has('tailed')) await measureTailed();
if (suites.has('saturated')) await measureSaturated();
if (suites.has('cost')) {
  results.costs = await costTable();
  printCosts(results.costs);
}
if (suites.has('growth')) {
  printGrowthHead();
  results.growth = await measureGrowth(home, mostItems * scale, printGrowth);
}
if (suites.has('limits') || suites.has('live')) {
  results.limits = { ...results.limits, ...(await measureLimits(scale, suites)) };
  printLimits(results.limits);
}
writeFileSync(asked.out, formatted(`${JSON.stringify(results, null, 2)}\n`));
writeFileSync(asked.out.replace(/\.json$/, '.svg'), picture(results));
console.log(`\n${readmeTable(results)}`);
console.log(`${asked.out} and the picture beside it were written`);

async function measureLoop(): Promise<void> {
  if (!has('nginx')) return console.log('loop: skipped, nginx is not installed');
  await using nginx = await openNginx(home);
  const text = execFileSync(process.execPath, [path.join(import.meta.dirname, 'loop.ts'), nginx.url], {
    encoding: 'utf8',
  });
  // The script of this folder wrote it.
  results.loop = JSON.parse(text) as LoopResult;
  printLoop(results.loop);
}

async function measureOne(): Promise<void> {
  await using server = await openDelayServer();
  const input = inputOf('one', 1, `${server.url}10`);
  const runs = contenders.filter(({ name }) => ['bare', 'fetch', 'fanloop'].includes(name));
  const suite = await compare('one', { title: '1 item of 10 ms, warm', items: 1, input, contenders: runs, server });
  results.one = suite;
}

async function measureSlow(): Promise<void> {
  await using server = await openDelayServer();
  const items = Math.round(20_000 * scale);
  const input = inputOf('slow', items, `${server.url}200`);
  const title = `${items.toLocaleString('en-US')} calls of 200 ms, ${atOnce} at once`;
  results.slow = await compare('slow', { title, items, input, contenders, server });
}

/**
 * One call of a hundred takes twenty times as long: what the others wait for at the end. It lasts a minute, since in 20,000 items the
 * last long call alone leaves more than a tenth of the slots empty, whoever starts them.
 */
async function measureTailed(): Promise<void> {
  await using server = await openDelayServer();
  const items = Math.round(50_000 * scale);
  const callsMs = Array.from({ length: items }, (_, n) => (n % 100 === 37 ? 4_000 : 200));
  const urls = callsMs.map((ms) => `${server.url}${ms}`);
  const input = writeInput('tailed', urls);
  const longestFirst = callsMs.toSorted((a, b) => b - a);
  const bound = { inOrder: mostBusy(callsMs, atOnce), longestFirst: mostBusy(longestFirst, atOnce) };
  const title = `${items.toLocaleString('en-US')} calls of 200 ms, 1 % of 4 s, ${atOnce} at once`;
  const runs = contenders.filter(({ name }) => ['bare', 'fanloop'].includes(name));
  const once = runs.map((one) => ({ ...one, once: true }));
  results.tailed = await compare('tailed', { title, items, input, contenders: once, server, bound });
}

async function measureSaturated(): Promise<void> {
  if (!has('nginx')) return console.log('saturated: skipped, nginx is not installed');
  await using nginx = await openNginx(home);
  const items = Math.round(60_000 * scale);
  const title = `${items.toLocaleString('en-US')} calls of nginx, ${atOnce} at once`;
  // A queue that takes minutes for these says nothing new.
  results.saturated = await compare('saturated', {
    title,
    items,
    input: inputOf('saturated', items, nginx.url),
    contenders,
  });
}

async function compare(
  name: string,
  suite: {
    readonly title: string;
    readonly items: number;
    readonly input: string;
    readonly contenders: readonly Contender[];
    readonly server?: DelayServer;
    readonly bound?: NonNullable<SuiteResult['bound']>;
  },
): Promise<SuiteResult> {
  const skipped = suite.contenders.flatMap(({ name: who, missing }) =>
    missing === undefined ? [] : [{ name: who, why: missing }],
  );
  const runs = suite.contenders.filter(({ missing }) => missing === undefined);
  const measured = new Map<string, Measured[]>(runs.map(({ name: who }) => [who, []]));
  // The first start fills caches: no round counts it.
  if (name === 'one') for (const contender of runs) await runOnce(contender, suite);
  for (let round = 0; round < rounds; round++) {
    for (const contender of runs) {
      if (round > 0 && contender.once === true) continue;
      measured.get(contender.name)?.push(await runOnce(contender, suite));
    }
  }
  const result = {
    title: suite.title,
    items: suite.items,
    rounds,
    ...(suite.bound !== undefined && { bound: suite.bound }),
    contenders: runs.map(({ name: who, how }) => ({ name: who, how, ...medians(measured.get(who) ?? []) })),
    skipped,
  };
  printSuite(result);
  return result;
}

async function runOnce(
  contender: Contender,
  { input, items, server }: { readonly input: string; readonly items: number; readonly server?: DelayServer },
): Promise<Measured> {
  const work: Work = { input, output: path.join(home, 'rows.ndjson'), atOnce, state: path.join(home, 'state') };
  // Jobs that an interrupted run left would go on beside this one.
  rmSync(work.state, { recursive: true, force: true });
  rmSync(work.output, { force: true });
  await server?.reset();
  const text = execFileSync(
    process.execPath,
    [path.join(import.meta.dirname, 'cpu-of.mjs'), home, ...contender.command(work)],
    {
      encoding: 'utf8',
    },
  );
  const run = JSON.parse(text) as { code: number; startedAt: number; endedAt: number; cpuMs: number; stderr: string };
  if (run.code !== 0)
    throw new Error(`expected ${contender.name} to succeed, got exit code ${run.code}: ${run.stderr}`);
  const wallMs = run.endedAt - run.startedAt;
  const stats = await server?.stats();
  if (stats !== undefined && stats.calls !== items)
    throw new Error(`expected ${items} calls of ${contender.name}, got ${stats.calls}`);
  return {
    cpuUs: (1_000 * run.cpuMs) / items,
    wallMs,
    perSecond: (1_000 * items) / wallMs,
    ...(stats !== undefined && {
      busy: stats.area / (atOnce * Math.max(1, stats.lastAt - stats.firstAt)),
      firstResultMs: stats.firstAnswerAt - run.startedAt,
    }),
  };
}

function medians(runs: readonly Measured[]): Measured {
  const median = (of: (run: Measured) => number | undefined): number | undefined => {
    const values = runs
      .map(of)
      .filter((value) => value !== undefined)
      .sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)];
  };
  const [busy, firstResultMs] = [median((run) => run.busy), median((run) => run.firstResultMs)];
  return {
    cpuUs: median((run) => run.cpuUs) ?? Number.NaN,
    wallMs: median((run) => run.wallMs) ?? Number.NaN,
    perSecond: median((run) => run.perSecond) ?? Number.NaN,
    ...(busy === undefined ? {} : { busy }),
    ...(firstResultMs === undefined ? {} : { firstResultMs }),
  };
}

function inputOf(name: string, items: number, url: string): string {
  return writeInput(name, new Array<string>(items).fill(url));
}

function writeInput(name: string, urls: readonly string[]): string {
  const file = path.join(home, `${name}.ndjson`);
  writeFileSync(file, urls.map((url) => `${JSON.stringify(url)}\n`).join(''));
  return file;
}

/** As the project's checks want its files. */
function formatted(json: string): string {
  const biome = path.join(import.meta.dirname, '../node_modules/@biomejs/biome/bin/biome');
  const asked = ['format', '--stdin-file-path=bench/results.json'];
  return execFileSync(process.execPath, [biome, ...asked], {
    input: json,
    encoding: 'utf8',
    cwd: path.dirname(import.meta.dirname),
  });
}

/** What earlier runs measured of suites that this one leaves out. */
function readResults(): Partial<Results> {
  try {
    // This script wrote it.
    return JSON.parse(readFileSync(asked.out, 'utf8')) as Results;
  } catch {
    return {};
  }
}
