import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { mapping } from '../../support/embedded-stack.ts';
import { useEmbeddedStack } from '../../support/use-embedded-stack.ts';

const { depth, nextCall, send, start, steered } = useEmbeddedStack();

const startWith = (MaximumConcurrency: number, packed?: string): Promise<void> =>
  start({
    functions: { Worker: steered() },
    queues: { Work: { VisibilityTimeout: 60 } },
    mappings: { Map: mapping('Work', 'Worker', { ScalingConfig: { MaximumConcurrency } }) },
    ...(packed !== undefined && { packed }),
  });

it('gives an invocation one place of which it knows nothing, as Lambda does', async () => {
  await startWith(2);
  await send('Work', ['a', 'b']);
  const both = [await nextCall(), await nextCall()];
  expect(both.map(({ places }) => places)).toEqual([undefined, undefined]);
  for (const one of both) one.settle({ answer: null });
});

it('gives the first invocation all places where one process can do the work of several, and the next ones what it leaves', async () => {
  await startWith(5, 'Worker');
  await send('Work', ['a', 'b', 'c']);
  const first = await nextCall();
  expect(first.places).toBe(5);
  expect(await depth('Work')).toEqual([2, 1]);
  first.goOn({ keep: 2 });
  const [one, other] = [await nextCall(), await nextCall()];
  const [again, second] = one.pid === first.pid ? [one, other] : [other, one];
  expect(again.places).toBe(2);
  expect(second.places).toBe(3);
  expect(await depth('Work')).toEqual([1, 2]);
  again.settle({ answer: null });
  const third = await nextCall();
  expect(third.pid).toBe(first.pid);
  expect(third.places).toBe(2);
  second.settle({ answer: null });
  third.settle({ answer: null });
});

it('gives what a process that stands still had to others', async () => {
  await startWith(3, 'Worker');
  await send('Work', ['a', 'b']);
  const first = await nextCall();
  process.kill(first.pid, 'SIGSTOP');
  const second = await nextCall();
  process.kill(first.pid, 'SIGCONT');
  expect(second.pid).not.toBe(first.pid);
  expect(second.places).toBe(2);
  second.settle({ answer: null });
  first.goOn({ keep: 3 });
  const again = await nextCall();
  expect(again.places).toBe(1);
  again.settle({ answer: null });
});

it('keeps one place at least, and takes none back', async () => {
  await startWith(3, 'Worker');
  await send('Work', ['a']);
  (await nextCall()).goOn({ keep: 0 });
  const again = await nextCall();
  expect(again.places).toBe(1);
  again.goOn({ keep: 3 });
  const last = await nextCall();
  expect(last.places).toBe(1);
  last.settle({ answer: null });
});

it.skipIf(availableParallelism() < 2)(
  'lets a process whose loop computes all the time leave half of its places to another one',
  async () => {
    await startWith(2, 'Worker');
    await send('Work', ['a', 'b']);
    const first = await nextCall();
    expect(first.places).toBe(2);
    first.goOn({ computes: 1 });
    const two = [await nextCall(), await nextCall()];
    expect(two.find(({ pid }) => pid !== first.pid)?.event.Records[0]?.body).toBe('b');
    expect(two.find(({ pid }) => pid === first.pid)?.places).toBe(1);
    for (const one of two) one.settle({ answer: null });
  },
);

it('gives each invocation one place after a process has died', async () => {
  await startWith(2, 'Worker');
  await send('Work', ['a', 'b']);
  const first = await nextCall();
  expect(first.places).toBe(2);
  first.settle({ exit: 1 });
  const two = [await nextCall(), await nextCall()];
  expect(two.map(({ places }) => places)).toEqual([undefined, undefined]);
  for (const one of two) one.settle({ answer: null });
});
