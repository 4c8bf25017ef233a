import { expect, it } from 'vitest';
import { emptyDigest } from '../../src/format/digest.ts';
import { encodeMessage } from '../../src/format/message.ts';
import { addJob, begin, repeat, worldWith } from './worker-world.ts';

it('goes on at once with a chunk that has by itself what the job is to stop at, as an earlier worker left it', async () => {
  const { world, calls } = worldWith(() => 1);
  const options = { limits: { minSuccessful: 3 } };
  const [message] = await addJob(world, { items: repeat(20, { ms: 100 }), options });
  if (message === undefined) throw new Error('expected a message');
  const left = Array.from({ length: message.count - 3 }, (_, n) => [message.first + 3 + n, 0] as [number, number]);
  const [first] = await world.workQueue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 1_800 });
  await world.workQueue.delete(first?.receiptHandle ?? '');
  const digest = { ...emptyDigest, succeeded: 3, attempts: 3, tried: 3 };
  await world.workQueue.send([encodeMessage({ ...message, gen: 1, only: left, digest })], { group: 'j' });
  const { acknowledged } = await begin(world);
  await world.clock.advance(1_000);
  expect(calls.started).toHaveLength(left.length);
  await world.clock.run(acknowledged);
});
