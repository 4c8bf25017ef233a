import { describe, expect, it } from 'vitest';
import { encodeMessage, type TickMessage } from '../../src/format/message.ts';
import { stalledKey } from '../../src/format/paths.ts';
import { settleDeadLetter } from '../../src/job/dead-letter.ts';
import { guardTurn } from '../../src/job/guard-turn.ts';
import { runTick } from '../../src/job/run-tick.ts';
import { limits } from '../../src/limits.ts';
import { campaignTask } from '../../src/testing/scenario.ts';
import { simulate } from '../../src/testing/simulate.ts';
import { slowTask, World } from './world.ts';

const items = Array.from({ length: 120 }, (_, n) => ({ ms: 100 + ((n * 37) % 900), act: 'ok', times: 1 }));
const job = { task: campaignTask, items, workers: 3, options: { perWorker: 10 }, followed: false };

/** A job whose turn 0 was taken, and the guard of turn 1. */
async function guarded(more: Partial<TickMessage> = {}) {
  const world = new World();
  const { task } = slowTask(world.clock, () => 1);
  world.tasks = { t: task };
  const { jobId } = await world.ask({ task: 't', items: Array.from({ length: 40 }, (_, n) => ({ n })) });
  const sent = () => world.tickQueue.sent.map(({ body }) => JSON.parse(body) as TickMessage);
  const guard = { ...sent().find((tick) => tick.guard === true), ...more } as TickMessage;
  const before = sent().length;
  return { world, jobId, guard, deps: world.invoke().deps, since: () => sent().slice(before) };
}

describe('the guard of a turn', () => {
  it('sends a turn again that was not taken, as it was sent, some times, and then leaves it to the dead-letter queue', async () => {
    const { world, jobId, guard, deps, since } = await guarded({ deaths: 2 });
    await world.clock.run(world.clock.sleep(41_000));
    let looks = 0;
    for (let next: TickMessage | undefined = guard; next !== undefined; next = since().at(-1)) {
      if (next.guard !== true) break;
      await guardTurn(deps, next);
      looks++;
    }
    expect(looks).toBe(limits.lateTurnLooks);
    const turn = { v: 1, kind: 'tick', job: jobId, n: 1, after: guard.after };
    expect(since()).toEqual([turn, { ...turn, guard: true, looks: 1 }, turn, { ...turn, guard: true, looks: 2 }, turn]);
  });

  it('ends with its turn, however many there are of it', async () => {
    const { world, jobId, guard, deps, since } = await guarded();
    await runTick(deps, { ...guard, guard: false }, { until: world.clock.now() + 1_000 });
    const ofTurn = since().length;
    for (let n = 0; n < 20; n++) await guardTurn(deps, guard);
    expect(since()).toHaveLength(ofTurn);
    expect(since().map(({ n }) => n)).toEqual([2, 2]);
    // Its process died before it could send the next one.
    await world.clock.run(world.clock.sleep(60_000));
    await guardTurn(deps, guard);
    expect(since().slice(ofTurn)).toMatchObject([
      { job: jobId, n: 2 },
      { n: 2, guard: true },
    ]);
    expect(since().slice(ofTurn)[0]).not.toHaveProperty('after');
  });

  it('stalls no job when it dies itself', async () => {
    const { world, jobId, guard, deps, since } = await guarded({ deaths: limits.deadTickDelaysSeconds.length });
    await settleDeadLetter(deps, encodeMessage(guard));
    expect(since()).toEqual([]);
    expect(await world.store.get(stalledKey(jobId))).toBeUndefined();
  });
});

describe('a job that nobody follows', () => {
  it.each([2, 4, 7, 12, 16, 20, 23, 25, 37, 39])(
    'goes on within a minute when the processes of its turns die at their first requests, seed %i',
    async (seed) => {
      const { rows, tookMs, history } = await simulate({
        ...job,
        seed,
        faults: { odds: { 'kill-at-call': 0.1 }, forMs: 10_000 },
      });
      const turns = history.lives.filter(({ role }) => role === 'tick');
      expect(turns.filter(({ killedAt }) => killedAt !== undefined).length).toBeGreaterThan(0);
      expect(rows.filter(({ status }) => status === 'succeeded')).toHaveLength(items.length);
      expect(tookMs).toBeLessThan(60_000);
    },
  );
});
