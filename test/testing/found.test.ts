import { describe, expect, it } from 'vitest';
import { check } from '../../src/testing/check.ts';
import type { FaultPlan } from '../../src/testing/faults.ts';
import { campaignTask, runScenario, scenarioOf } from '../../src/testing/scenario.ts';
import { type SimulationOptions, simulate } from '../../src/testing/simulate.ts';
import type { Violation } from '../../src/testing/violation.ts';

const items = Array.from({ length: 60 }, (_, n) => ({
  ms: (n * 37) % 2_500,
  act: n % 3 === 0 ? 'flaky' : 'ok',
  times: 1,
}));

/** What a run of the items breaks under a plan of faults. */
async function brokenBy(
  given: { readonly seed: number; readonly faults: FaultPlan } & Partial<SimulationOptions>,
): Promise<readonly Violation[]> {
  const { options, ...rest } = given;
  const run = await simulate({
    task: campaignTask,
    items,
    workers: 3,
    ...rest,
    options: { timeoutMs: 3_000, attempts: 3, ...options },
  });
  const row = (): undefined => undefined;
  return check(run, { items: given.items?.length ?? items.length, row, cancelled: false, endsWithinMs: 5 * 60_000 });
}

/** What campaigns found, each as the smallest plan that shows it. */
describe('found by campaigns', () => {
  it.each([1, 2, 3, 4, 5])('no digest is unreadable when a clock is set while calls run, seed %i', async (seed) => {
    expect(await brokenBy({ seed, faults: { odds: { 'clock-jump': 1 } }, options: { perWorker: 5 } })).toEqual([]);
  });

  it.each([1, 30, 39, 50])(
    'no item waits for hours that was handed over under a clock that was set, seed %i',
    async (seed) => {
      const odds = { 'clock-jump': 0.5, deadline: 0.6, kill: 0.2 };
      const faults = { odds, longestMs: 6_000 };
      expect(await brokenBy({ seed, faults, options: { perWorker: 2 } })).toEqual([]);
    },
  );

  it.each([14, 20, 42, 57])(
    'a clock that is set back neither ends a hold nor keeps a job waiting, seed %i',
    async (seed) => {
      const faults = { odds: { 'clock-jump': 0.6, freeze: 0.4 }, longestMs: 100_000 };
      expect(await brokenBy({ seed, faults, options: { perWorker: 2, attempts: 2 } })).toEqual([]);
    },
  );

  it.each([4, 18, 40])(
    'the last items of a chunk that another worker has stored are not tried again, seed %i',
    async (seed) => {
      const twoSeconds = Array.from({ length: 80 }, (_, n) => ({
        ms: 1_200 + ((n * 37) % 1_300),
        act: n % 2 === 0 ? 'flaky' : 'ok',
        times: 1,
      }));
      const faults = { odds: { 'lambda-lost': 0.7, 'sqs-partly': 0.7, 'sqs-refused': 0.1 } };
      const options = { perWorker: 50, attempts: 2 };
      expect(await brokenBy({ seed, items: twoSeconds, workers: 5, faults, options })).toEqual([]);
    },
  );

  it.each([22, 28, 32, 36])(
    'whoever takes a chunk whose message was sent twice goes on where its rows end, seed %i',
    async (seed) => {
      const faults = { odds: { 'sqs-hang': 0.3, 'lost-tick': 0.5, kill: 0.6 } };
      expect(await brokenBy({ seed, faults, options: { perWorker: 1 } })).toEqual([]);
    },
  );

  it.each([23, 31, 35])('so does one whose hand-over was sent twice, seed %i', async (seed) => {
    const faults = { odds: { 'sqs-lost': 0.15, 'sqs-hang': 0.1, 'lost-tick': 0.4, deadline: 0.7 } };
    expect(await brokenBy({ seed, faults, options: { perWorker: 1 } })).toEqual([]);
  });

  it.each([10_791_004, 71_000_534, 71_000_644])(
    'so does one whose first message comes after the one that was sent in its place, run %i of the campaign',
    async (seed) => expect((await runScenario(scenarioOf(seed))).violations).toEqual([]),
  );

  it.each([
    ['a chunk is held by the message that came last', 30_352_681],
    ['who redrives beside another does not select from a pass that runs', 30_352_683],
    ['a message that SQS gives again and again dies without a crash', 77_001_834],
    ['who stands still between the segment that hands over and its message may have no time left for it', 946_136_891],
    ['who is not told that its segment stands may give up before it sends its message', 406_596_541],
  ])('%s, seed %i', async (_, seed) => {
    expect((await runScenario(scenarioOf(seed))).violations).toEqual([]);
  });
});
