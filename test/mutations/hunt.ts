/** Runs scenarios of an aim, one seed after another, until one breaks a promise; says which. For `main.ts`, in a copy of the code. */
import { parseArgs } from 'node:util';
import { type Aim, runScenario, scenarioOf } from '../../src/testing/scenario.ts';

const { values } = parseArgs({
  options: { aim: { type: 'string' }, runs: { type: 'string' }, seed: { type: 'string' } },
});
// `main.ts` wrote it.
const aim = JSON.parse(values.aim ?? '{}') as Aim;
const from = Number(values.seed ?? 1);
const write = (text: string): void => void process.stdout.write(`${text}\n`);
let seed = from;
try {
  for (; seed < from + Number(values.runs ?? 60); seed++) {
    const [violation] = (await runScenario(scenarioOf(seed, aim))).violations;
    if (violation === undefined) continue;
    write(`BROKEN ${seed} ${violation.rule}`);
    break;
  }
} catch (error) {
  write(
    `BROKEN ${seed} it ended with ${String(error instanceof Error ? (error.cause ?? error) : error).split('\n')[0]}`,
  );
}
