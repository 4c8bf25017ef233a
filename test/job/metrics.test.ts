import { expect, it } from 'vitest';
import { metricNames } from '../../src/format/metrics.ts';
import { TaskError } from '../../src/task/errors.ts';
import { slowTask, World } from './world.ts';

/** What all lines count together. */
function counted(world: World): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { fields } of world.lines)
    for (const [name, count] of Object.entries(Object(fields['metrics'])))
      sums.set(name, (sums.get(name) ?? 0) + Number(count));
  return Object.fromEntries([...sums].filter(([, sum]) => sum > 0));
}

const oddFail = (item: Record<string, unknown>): unknown => {
  if (Number(item['n']) % 2 === 0) return 'even';
  throw new TaskError('odd', { code: 'Odd' });
};

it.each([
  ['runs in the workers, though messages come twice', 400, 0.3],
  ['runs in the invocation that starts it', 4, 0],
])('each item and the job are counted once when a job %s', async (_, count, duplicateOdds) => {
  const world = new World(5);
  world.duplicateOdds = duplicateOdds;
  world.tasks = { t: slowTask(world.clock, oddFail).task };
  world.start();
  const items = Array.from({ length: count }, (__, n) => ({ n, ms: 50 }));
  const { jobId } = await world.ask({ task: 't', items });
  await world.untilEnd(jobId);
  world.stop();
  expect(counted(world)).toEqual({
    [metricNames.jobsStarted]: 1,
    [metricNames.jobsEnded]: 1,
    [metricNames.itemsSucceeded]: count / 2,
    [metricNames.itemsFailed]: count / 2,
  });
});
