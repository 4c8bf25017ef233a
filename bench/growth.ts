import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { billedRequests, estimateCost } from '../src/folder/cost.ts';
import { summaryFormat } from '../src/format/summary.ts';
import type { GrowthRow } from './results.ts';

/** How often memory is looked at; Linux keeps each process's peak, so only a process that ends in between is missed. */
const lookMs = 250;

const sizes = [1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000];

/** Jobs of 1,000 to `most` items that wait for nothing: what grows with a job, and what does not. */
export async function measureGrowth(
  home: string,
  most: number,
  tell: (row: GrowthRow) => void,
): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const items of sizes.filter((size) => size <= most)) {
    const row = await measureJob(path.join(home, 'growth'), items);
    tell(row);
    rows.push(row);
  }
  return rows;
}

async function measureJob(home: string, items: number): Promise<GrowthRow> {
  rmSync(`${home}-state`, { recursive: true, force: true });
  writeItems(`${home}.ndjson`, items);
  const door = path.join(import.meta.dirname, '..', 'bin', 'fanloop.js');
  const files = ['--input', `${home}.ndjson`, '--out', `${home}-rows.ndjson`, '--state', `${home}-state`];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [door, 'run', 'say-after', ...files, '--workers', '2', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said = `${said}${text}`.slice(-100_000);
  });
  const ended = once(child, 'close');
  const { peaks, held } = await memoryUntil(child, ended);
  const wallMs = performance.now() - startedAt;
  const [code] = await ended;
  const line = said.split('\n').find((one) => one.includes('"type":"summary"'));
  if (code !== 0 || line === undefined) throw new Error(`expected ${items} items to succeed, got exit code ${code}`);
  const summary = summaryFormat.read(JSON.parse(line));
  if (summary.totals.succeeded !== items) throw new Error(`expected ${items} rows, got ${summary.totals.succeeded}`);
  const outBytes = statSync(`${home}-rows.ndjson`).size;
  for (const name of ['.ndjson', '-rows.ndjson', '-state']) rmSync(`${home}${name}`, { recursive: true, force: true });
  const usd = estimateCost(summary).total;
  const { chunks, turns } = summary;
  const requests = billedRequests(summary);
  const ofTurns = 1 - estimateCost({ ...summary, turns: 0 }).total / usd;
  return {
    items,
    wallMs,
    outBytes,
    chunks,
    turns,
    requests,
    ofTurns,
    usd,
    peakMb: Object.fromEntries(peaks),
    heldMb: held,
  };
}

/** A line is about as long as an address, unless its text is to be longer. */
export function writeItems(file: string, items: number, textLength = 10): void {
  const out = openSync(file, 'w');
  const block = 100_000;
  for (let from = 0; from < items; from += block) {
    const lines = Array.from(
      { length: Math.min(block, items - from) },
      (_, n) => `{"delayMs":0,"message":"${String(from + n).padStart(textLength, '0')}"}\n`,
    );
    writeSync(out, lines.join(''));
  }
  closeSync(out);
}

/** MB of the largest process of a kind: the most that it has held, and what it holds as time passes. */
async function memoryUntil(child: ChildProcess, ended: Promise<unknown>) {
  const peaks = new Map<string, number>();
  const looks: Array<Readonly<Record<string, number>>> = [];
  let now: Record<string, number> = {};
  const look = (pid: number, name: string | undefined): void => {
    // The shell that ends processes which were left is none of the functions.
    if (name === undefined) return;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      peaks.set(name, Math.max(peaks.get(name) ?? 0, megabytes(status, 'VmHWM')));
      now[name] = Math.max(now[name] ?? 0, megabytes(status, 'VmRSS'));
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        for (const kid of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ')) {
          if (kid !== '') look(Number(kid), nameOf(Number(kid)));
        }
      }
    } catch {
      // It has ended.
    }
  };
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    now = {};
    look(child.pid ?? 0, 'command');
    looks.push(now);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, lookMs))]);
  }
  return { peaks, held: heldByQuarter(looks) };
}

function megabytes(status: string, name: 'VmHWM' | 'VmRSS'): number {
  const [, kilobytes = '0'] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}

/** The median of each quarter of the time in which there was such a process: what grows is seen in one job, too. */
function heldByQuarter(looks: ReadonlyArray<Readonly<Record<string, number>>>): NonNullable<GrowthRow['heldMb']> {
  const names = new Set(looks.flatMap((look) => Object.keys(look)));
  const quarters = [...names].map((name) => {
    const held = looks.map((look) => look[name]).filter((mb) => mb !== undefined);
    const part = (n: number) => held.slice((n * held.length) / 4, ((n + 1) * held.length) / 4).sort((a, b) => a - b);
    return [name, [0, 1, 2, 3].map((n) => part(n)[Math.floor(part(n).length / 2)] ?? 0)] as const;
  });
  // Of a process that was seen less often, there are no quarters.
  return Object.fromEntries(quarters.filter(([, held]) => !held.includes(0)));
}

function nameOf(pid: number): string | undefined {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const handler = variables.find((variable) => variable.startsWith('_HANDLER='));
  return handler?.replace(/^_HANDLER=(.*)\.handler$/, '$1');
}
