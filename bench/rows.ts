import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeItems } from './growth.ts';
import type { RowsRow } from './results.ts';

const items = 1_000_000;
/** A row has some 200 bytes then, as one of an API's short answer. */
const textLength = 120;

/** `fanloop results` of a large job, as a command from start to end, by turns with `cat` of the same bytes: the least of the rounds. */
export function measureRows(home: string, rounds: number): readonly RowsRow[] {
  const at = (name: string): string => path.join(home, `rows${name}`);
  const door = path.join(import.meta.dirname, '..', 'bin', 'fanloop.js');
  const fanloop = `'${process.execPath}' '${door}'`;
  const state = `--state '${at('-state')}'`;
  const [input, output, copy] = [at('.ndjson'), at('-out.ndjson'), at('-copy.ndjson')];
  const forget = (): void => {
    for (const name of ['-state', '.ndjson', '-out.ndjson', '-copy.ndjson'])
      rmSync(at(name), { recursive: true, force: true });
  };
  forget();
  writeItems(input, items, textLength);
  run(`${fanloop} run say-after --input '${input}' --out '${output}' ${state} --quiet`);
  const ways = [
    { name: 'cat, into a pipe', script: `cat '${output}' | cat > /dev/null` },
    { name: 'results, into a pipe', script: `${fanloop} results ${state} | cat > /dev/null` },
    { name: 'cat, into a file', script: `cat '${output}' > '${copy}'` },
    { name: 'results --out FILE', script: `${fanloop} results ${state} --out '${copy}'` },
    { name: 'results --failed (none)', script: `${fanloop} results ${state} --failed > /dev/null` },
  ];
  const { size } = statSync(output);
  const runs = Array.from({ length: rounds }, () => ways.map(({ script }) => run(script)));
  forget();
  return ways.map(({ name }, way) => {
    const ofWay = runs.map((round) => round[way] ?? { wallMs: Number.NaN, cpuMs: Number.NaN });
    const wallMs = Math.min(...ofWay.map((one) => one.wallMs));
    const cpuMs = Math.min(...ofWay.map((one) => one.cpuMs));
    return { name, rounds, bytes: size, wallMs, cpuMs, megabytesPerSecond: size / 1e3 / wallMs };
  });
}

/** Wall and processor time of a script with all that it starts. @throws Error when it fails */
function run(script: string): { readonly wallMs: number; readonly cpuMs: number } {
  const args = [path.join(import.meta.dirname, 'cpu-of.mjs'), process.cwd(), '/bin/sh', '-c', script];
  const ended = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as {
    readonly code: number;
    readonly startedAt: number;
    readonly endedAt: number;
    readonly cpuMs: number;
    readonly stderr: string;
  };
  if (ended.code !== 0)
    throw new Error(`expected "${script}" to succeed, got exit code ${ended.code}: ${ended.stderr}`);
  return { wallMs: ended.endedAt - ended.startedAt, cpuMs: ended.cpuMs };
}
