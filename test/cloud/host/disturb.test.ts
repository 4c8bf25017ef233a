import { afterEach, describe, expect, it } from 'vitest';
import type { Disturbance } from '../../../src/cloud/host/disturb.ts';
import { type EndpointFixture, openFixture } from './endpoint-fixture.ts';

let fixture: EndpointFixture | undefined;
afterEach(() => fixture?.close());

/** An endpoint whose next request goes wrong so; others pass. */
async function disturbedOnce(disturbance: Disturbance) {
  let next: Disturbance | undefined = disturbance;
  const opened = await openFixture({
    disturb: () => {
      const given = next;
      next = undefined;
      return given;
    },
  });
  fixture = opened;
  const url = `${opened.endpoint.url}/bucket/key`;
  return {
    put: (body: string) => fetch(url, { method: 'PUT', body, headers: { 'if-none-match': '*' } }),
    get: () => fetch(url),
  };
}

describe('an endpoint that is disturbed', () => {
  it.each([409, 500, 503] as const)('refuses a request with %i, and nothing has happened', async (status) => {
    const { put, get } = await disturbedOnce({ kind: 'refuse', status });
    const refused = await put('value');
    expect(refused.status).toBe(status);
    expect(await refused.text()).toContain('<Code>');
    expect((await get()).status).toBe(404);
  });

  it('resets the connection of a request that has happened: asking again meets 412', async () => {
    const { put, get } = await disturbedOnce({ kind: 'lose' });
    await expect(put('value')).rejects.toThrow();
    expect((await put('value')).status).toBe(412);
    expect(await (await get()).text()).toBe('value');
  });

  it('resets a connection before anything has happened', async () => {
    const { put, get } = await disturbedOnce({ kind: 'reset' });
    await expect(put('value')).rejects.toThrow();
    expect((await get()).status).toBe(404);
  });

  it.each([true, false])('gives no answer for a time, whether it has happened or not: %s', async (applied) => {
    const { put, get } = await disturbedOnce({ kind: 'hang', ms: 50, applied });
    await expect(put('value')).rejects.toThrow();
    expect((await get()).status).toBe(applied ? 200 : 404);
  });

  it('breaks an answer off in the middle of its body', async () => {
    const { put, get } = await disturbedOnce({ kind: 'truncate' });
    expect(
      await put('value').then(
        ({ status }) => status,
        () => 'reset',
      ),
    ).not.toBe(412);
    expect(await (await get()).text()).toBe('value');
  });

  it('breaks an object off in the middle', async () => {
    let isOn = false;
    const opened = await openFixture({ disturb: () => (isOn ? { kind: 'truncate' } : undefined) });
    fixture = opened;
    const url = `${opened.endpoint.url}/bucket/key`;
    await fetch(url, { method: 'PUT', body: 'x'.repeat(100_000) });
    isOn = true;
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
  });
});
