/** `npm run chaos:processes -- --runs 50 --seed 1`: jobs on real processes with real faults, a line a broken promise, and a table. */
import { parseArgs } from 'node:util';
import { processTable, runMany, violationLines } from './campaign.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, parallel: { type: 'string' } },
});
const runs = Number(values.runs ?? 20);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000));
const write = (text: string): void => void process.stdout.write(`${text}\n`);
write(`${runs} runs from seed ${seed}`);
const startedAt = performance.now();
const results = await runMany({
  runs,
  seed,
  parallel: Number(values.parallel ?? 3),
  onEnd: (run) => write(violationLines(run) || `seed ${run.seed}: ended after ${(run.tookMs / 1_000).toFixed(1)} s`),
});
write(processTable(results));
write(`${Math.round((performance.now() - startedAt) / 1_000)} s`);
process.exitCode = results.every(({ violations }) => violations.length === 0) ? 0 : 1;
