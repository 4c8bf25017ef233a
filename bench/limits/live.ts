import { setTimeout as sleep } from 'node:timers/promises';
import type { Fanloop } from '../../src/client/fanloop.ts';
import type { Job } from '../../src/client/job.ts';
import type { LiveRow } from '../results.ts';
import type { MeterServer, SeenCall } from './meter.ts';

interface At {
  readonly fanloop: Fanloop;
  readonly server: MeterServer;
  readonly scale: number;
}

/** Changes a running job, and lets jobs meet; each figure beside what it is to be. */
export async function runLive(at: At): Promise<readonly LiveRow[]> {
  return [...(await steering(at)), ...(await meetings(at)), ...(await refusals(at)), ...(await storm(at))];
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Starts a job whose calls all take the same time. */
function start(
  { fanloop, server }: At,
  job: { readonly name: string; readonly items: number; readonly ms: number; readonly limits?: object },
): Promise<Job> {
  const item = { url: `${server.url}/${job.name}`, ms: job.ms };
  const items = new Array<typeof item>(job.items).fill(item);
  return fanloop.submit('call', items, { inline: false, ...(job.limits === undefined ? {} : { limits: job.limits }) });
}

/** Waits until the server has seen so many calls. */
async function untilCalls(server: MeterServer, name: string, count: number): Promise<void> {
  while ((await server.seen(name)).calls < count) await sleep(50);
}

/** Starts a second, over seconds, from an instant on. */
function paces(calls: readonly SeenCall[], from: number, bySeconds: number): number {
  return calls.filter(({ at }) => at >= from && at < from + 1_000 * bySeconds).length / bySeconds;
}

/** When the last start came that a pace does not allow; the instant itself where none did. */
function lastAbove(calls: readonly SeenCall[], from: number, perSecond: number): number {
  const late = calls.filter(({ at }, n) => {
    // More than one start too many within half a second.
    const before = calls.filter((other, m) => m <= n && other.at > at - 500 && other.at >= from).length;
    return at >= from && before > perSecond / 2 + 2;
  });
  return late.at(-1)?.at ?? from;
}

async function steering(at: At): Promise<LiveRow[]> {
  const { server } = at;
  const name = 'steered';
  const job = await start(at, { name, items: 6_000, ms: 200, limits: { rate: '40/s' } });
  await untilCalls(server, name, 200);
  const lowered = Date.now();
  await job.tune({ rate: '10/s' });
  await sleep(8_000);
  const afterLowering = lastAbove(await server.calls(name, lowered), lowered, 10);
  const raised = Date.now();
  await job.tune({ rate: '80/s' });
  await sleep(9_000);
  const afterRaise = await server.calls(name, raised);
  const fullAt = afterRaise.find(({ at: from }) => paces(afterRaise, from, 0.5) >= 0.9 * 80)?.at ?? Number.NaN;
  const paused = Date.now();
  await job.pause();
  await sleep(6_000);
  const lastStart = (await server.calls(name, paused)).at(-1)?.at ?? paused;
  const resumed = Date.now();
  await job.resume();
  await sleep(6_000);
  const firstStart = (await server.calls(name, resumed))[0]?.at ?? Number.NaN;
  await job.cancel();
  await job.summary();
  return [
    { name: 'lowered from 40/s to 10/s: last start above', value: seconds(afterLowering - lowered), goal: '3 s' },
    { name: 'raised from 10/s to 80/s: full pace after', value: seconds(fullAt - raised), goal: '5 s' },
    { name: 'paused: last start after', value: seconds(lastStart - paused), goal: '3 s' },
    { name: 'resumed: first start after', value: seconds(firstStart - resumed), goal: '3 s' },
  ];
}

/** A small job and a paced one beside one of 400,000. */
async function meetings(at: At): Promise<LiveRow[]> {
  const { server, scale } = at;
  const large = await start(at, { name: 'large', items: Math.round(400_000 * scale), ms: 200 });
  await untilCalls(server, 'large', 2_000);
  const paced = await start(at, { name: 'paced', items: 1_500, ms: 300, limits: { rate: '50/s' } });
  await untilCalls(server, 'paced', 100);
  const startedAt = Date.now();
  const small = await start(at, { name: 'small', items: 1_000, ms: 200 });
  const submittedAt = Date.now();
  const summary = await small.summary();
  const took = Date.now() - startedAt;
  await paced.summary();
  const seen = await server.seen('paced');
  const pace = (seen.calls - 1) / ((seen.lastAt - seen.firstAt - 300) / 1_000);
  await large.cancel();
  const { totals } = await large.summary();
  if (totals.cancelled === 0) throw new Error('expected a large job that outlasts the small ones');
  const lastAt = (await server.seen('small')).lastAt;
  return [
    { name: '1,000 items of 200 ms beside 400,000: end', value: seconds(took), goal: '10 s' },
    { name: 'of these, its upload and fan-out', value: seconds(submittedAt - startedAt), goal: '' },
    { name: 'of these, until the last answer', value: seconds(lastAt - startedAt), goal: '' },
    { name: 'the same by its summary', value: seconds(summary.wallMs), goal: '' },
    { name: '50/s beside it: calls a second', value: pace.toFixed(1), goal: '45' },
  ];
}

/** 300 items at the defaults against a server that takes 20 a second. */
async function refusals(at: At): Promise<LiveRow[]> {
  const { server } = at;
  await server.admit('refusing', 20, 1);
  const job = await start(at, { name: 'refusing', items: 300, ms: 10 });
  const { totals, wallMs } = await job.summary();
  const { calls } = await server.seen('refusing');
  return [
    { name: '300 items, 20/s taken, Retry-After: 1: succeeded', value: String(totals.succeeded), goal: '300' },
    { name: 'calls an item', value: (calls / 300).toFixed(2), goal: 'under 2' },
    { name: 'time (15 s at the pace taken)', value: seconds(wallMs), goal: '' },
  ];
}

/** 2,000 calls a second asked of a server that takes 800 for 90 s. */
async function storm(at: At): Promise<LiveRow[]> {
  const { server, scale } = at;
  const stormMs = Math.max(20_000, 90_000 * scale);
  const name = 'storm';
  const job = await start(at, { name, items: 400_000, ms: 200, limits: { rate: '2000/s' } });
  await untilCalls(server, name, 10_000);
  const from = Date.now();
  await server.admit(name, 800);
  await sleep(stormMs);
  await server.admit(name);
  const until = Date.now();
  const calls = await server.calls(name, from);
  await job.cancel();
  const during = calls.filter((call) => call.at < until);
  const taken = during.filter(({ isTaken }) => isTaken).length;
  await job.summary();
  return [
    {
      name: `storm of ${seconds(stormMs)}, 2,000/s asked, 800/s taken: refused`,
      value: `${((100 * (during.length - taken)) / during.length).toFixed(1)} %`,
      goal: '2 %',
    },
    { name: 'of what was taken, used', value: (taken / (0.8 * (until - from))).toFixed(2), goal: '0.9' },
  ];
}
