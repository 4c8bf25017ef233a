import { expect, it } from 'vitest';
import { processTable, runMany, violationLines } from './campaign.ts';

const runs = 20;
/** `CHAOS_SEED` makes the same plans again. */
const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000_000));

it(`breaks no promise in ${runs} runs on real processes from seed ${seed}`, async () => {
  const results = await runMany({ runs, seed, parallel: 4 });
  process.stdout.write(`${processTable(results)}\n`);
  expect(results.map(violationLines).filter(Boolean)).toEqual([]);
});
