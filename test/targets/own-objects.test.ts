import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { toJsonLines } from '../../src/format/json.ts';
import { connect } from '../../src/targets/connect.ts';

it('reads the rows of a cloud of its own without a request, and parses none of them to pass them on', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fanloop-own-objects-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const connected = await connect({ state: path.join(folder, 'state') });
  await using owner = connected;
  await using joiner = await connect({ state: path.join(folder, 'state') });
  // More than what the fan-out runs by itself and answers at once.
  const items = Array.from({ length: 60 }, (_, n) => ({ delayMs: 0, message: `Hello ${n}` }));
  const { id } = await owner.submit('say-after', items);
  const summary = await owner.find(id).summary();
  expect(summary.totals.succeeded).toBe(items.length);

  const asked = vi.fn();
  const hear = (event: unknown): void => asked((event as { request: { url: string } }).request.url);
  subscribe('http.server.request.start', hear);
  onTestFinished(() => void unsubscribe('http.server.request.start', hear));
  const parsed = vi.spyOn(JSON, 'parse');
  const lines = Buffer.concat(await Array.fromAsync(owner.find(id).lines())).toString();
  expect(parsed.mock.calls.filter(([text]) => text.includes('"index"'))).toEqual([]);
  parsed.mockRestore();
  const ofResults = () => asked.mock.calls.flat().filter((url) => url.includes('/results/'));
  expect(ofResults()).toEqual([]);

  // Who has joined asks the owner, and gets the same bytes.
  expect(Buffer.concat(await Array.fromAsync(joiner.find(id).lines())).toString()).toBe(lines);
  expect(ofResults().length).toBeGreaterThan(0);
  expect(toJsonLines((await Array.fromAsync(owner.find(id).batches())).flat())).toBe(lines);
});
