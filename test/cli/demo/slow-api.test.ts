import { describe, expect, onTestFinished, test } from 'vitest';
import { type Fate, fateOf, type SlowApi, type SlowApiOptions, startSlowApi } from '../../../src/cli/demo/slow-api.ts';
import { httpCall } from '../../../src/connectors/http/call.ts';
import { openHttpSockets } from '../../../src/connectors/http/sockets.ts';

const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
const signal = new AbortController().signal;

async function start(options: SlowApiOptions): Promise<SlowApi> {
  const api = await startSlowApi(options);
  onTestFinished(() => api.close());
  return api;
}

function openSockets(): ReturnType<typeof openHttpSockets> {
  const sockets = openHttpSockets({ allowPrivateNetwork: true });
  onTestFinished(() => sockets.close());
  return sockets;
}

const firstWith = (matches: (fate: Fate) => boolean): number => {
  const id = ids.find((candidate) => matches(fateOf(candidate)));
  if (id === undefined) throw new Error('expected an id with this fate among the first 1,000');
  return id;
};

describe('the fate of the first 1,000 ids', () => {
  const fates = ids.map((id) => fateOf(id));

  test('is mostly good, with about 2 % throttled and a few missing', () => {
    const throttled = fates.filter((fate) => fate.refusals > 0);
    expect(throttled.length).toBeGreaterThan(10);
    expect(throttled.length).toBeLessThan(30);
    expect(new Set(throttled.map((fate) => `${fate.refusalStatus} ${fate.retryAfter}`)).size).toBe(6);
    const missing = fates.filter((fate) => fate.missing);
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.length).toBeLessThan(10);
  });

  test('spreads latency over 50 to 250 ms', () => {
    const latencies = fates.map((fate) => fate.latencyMs);
    expect(Math.min(...latencies)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(250);
    expect(latencies.reduce((sum, latency) => sum + latency) / latencies.length).toBeCloseTo(150, -1);
  });

  test('is the same for the same seed and another for another', () => {
    expect(ids.map((id) => fateOf(id, { seed: 1 }))).toEqual(fates);
    expect(ids.map((id) => fateOf(id, { seed: 2 }))).not.toEqual(fates);
  });
});

test('1,000 ids called with three attempts each all succeed but the missing ones', async () => {
  const api = await start({ latencyMs: [0, 1] });
  const sockets = openSockets();
  const attempt = async (id: number, left: number): Promise<number> => {
    try {
      return (await httpCall({ url: `${api.url}/items/${id}`, method: 'GET' }, { signal, sockets })).status;
    } catch (error) {
      // Everything that the API refuses with is a status of the connector's.
      const { status, retryable, retryAfterMs } = error as {
        status: number;
        retryable: boolean;
        retryAfterMs?: number;
      };
      if (status !== 404) expect(retryAfterMs).toBeLessThanOrEqual(1_000);
      return retryable && left > 1 ? attempt(id, left - 1) : status;
    }
  };
  const statuses = await Promise.all(ids.map((id) => attempt(id, 3)));
  expect(statuses).toEqual(ids.map((id) => (fateOf(id).missing ? 404 : 200)));
  expect(api.requests()).toBe(ids.reduce((sum, id) => sum + 1 + fateOf(id).refusals, 0));
});

test.each(['now', 'second', 'date'] as const)('a throttled id says when to come back (%s)', async (retryAfter) => {
  const api = await start({ latencyMs: [0, 0] });
  const id = firstWith((fate) => fate.refusals > 0 && fate.retryAfter === retryAfter);
  const response = await fetch(`${api.url}/items/${id}`);
  await response.text();
  expect([429, 503]).toContain(response.status);
  const form = { now: /^0$/, second: /^1$/, date: /^[A-Z][a-z]{2}, .* GMT$/ }[retryAfter];
  expect(response.headers.get('retry-after')).toMatch(form);
});

test('another path is not found', async () => {
  const api = await start({});
  const response = await fetch(`${api.url}/items/x`);
  expect(response.status).toBe(404);
});

test('closing drops the answers under way', async () => {
  const api = await startSlowApi({ latencyMs: [60_000, 60_000] });
  const outcome = fetch(`${api.url}/items/1`);
  const failure = expect(outcome).rejects.toThrow();
  await api.close();
  await failure;
});
