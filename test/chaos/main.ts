/** `npm run chaos -- --runs 1000 --seed S`: simulated runs, a line a broken promise with the seed that replays it, and a table. */
import { parseArgs } from 'node:util';
import { campaignTable, failureLines, runCampaign } from '../../src/testing/campaign.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' } },
});
const runs = Number(values.runs ?? 1_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000));
const startedAt = performance.now();
const write = (text: string): void => void process.stdout.write(`${text}\n`);
write(`${runs} runs from seed ${seed}`);
const campaign = await runCampaign({ runs, seed, onFailure: (result) => write(failureLines(result)) });
write(campaignTable(campaign));
write(`${Math.round((performance.now() - startedAt) / 1_000)} s`);
process.exitCode = campaign.failures.length === 0 ? 0 : 1;
