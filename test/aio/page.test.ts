import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import * as aio from '../../src/aio/index.ts';

const page = readFileSync(new URL('../../docs/asyncio.md', import.meta.url), 'utf8');
const face = new URL('../../src/aio/index.ts', import.meta.url).href;

/** Names that need no row of their own: another name on the page explains them. */
const explained = [
  'BrokenBarrierError',
  'CancelledError',
  'ExceptionGroup',
  'InterruptedError',
  'InvalidStateError',
  'QueueEmpty',
  'QueueFull',
  'QueueShutDown',
  'TimeoutError',
  'currentDeadline',
  'ensureFuture',
  'map',
  'systemClock',
  'until',
];

test('docs/asyncio.md names every verb of the face', () => {
  const words = new Set(page.match(/\w+/g));
  expect(Object.keys(aio).filter((name) => !words.has(name) && !explained.includes(name))).toEqual([]);
});

test.each([
  ['sayAfter', 'hello\nworld'],
  ['VirtualClock', '3600000'],
])('the code of docs/asyncio.md with %s runs as it stands', async (name, output) => {
  const block = [...page.matchAll(/```ts\n(.*?)```/gs)]
    .map(([, code = '']) => code)
    .find((code) => code.includes(name));
  const code = (block ?? '').replace("'fanloop/aio'", JSON.stringify(face));
  const node = ['--input-type=module-typescript', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, node);
  expect(stdout.trim()).toBe(output);
});
