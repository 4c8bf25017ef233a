/** Runs limited jobs of many seeds until one breaks a promise, and says which: `node test/mutations/seat-runs.ts 40`. */
import { brokenIn, runsOf } from '../testing/limit-runs.ts';

const seeds = Number(process.argv[2] ?? 40);
/** Runs that take longer are fewer. */
const parts = { moves: 0.5, grows: 0.5, chaos: 1, distance: 0.5 } as const;

search: for (let seed = 1; seed <= seeds; seed++) {
  for (const [kind, make] of Object.entries(runsOf)) {
    if (seed > seeds * parts[kind as keyof typeof parts]) continue;
    const [broken] = await brokenIn(make(seed));
    if (broken === undefined) continue;
    process.stdout.write(`${kind}, seed ${seed}: ${broken}\n`);
    process.exitCode = 1;
    break search;
  }
}
