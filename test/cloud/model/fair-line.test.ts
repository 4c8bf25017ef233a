import { describe, expect, it } from 'vitest';
import { ModelQueue } from '../../../src/cloud/model/queue.ts';
import { TestClock } from '../../support/test-clock.ts';

let ids = 0;
const queue = () => new ModelQueue('q', { clock: new TestClock(), newId: () => `id${++ids}` });
const send = (to: ModelQueue, group: string | undefined, count: number): void => {
  for (let n = 0; n < count; n++) to.send({ body: `${group}${n}`, ...(group !== undefined && { group }) });
};
const take = (from: ModelQueue, max: number) => from.receive({ max, visibilitySeconds: 30 });

describe('a queue with groups', () => {
  it('gives a group with nothing in flight before the backlog of another', () => {
    const q = queue();
    send(q, 'large', 1_000);
    take(q, 5);
    send(q, 'small', 3);
    expect(take(q, 4).map(({ body }) => body)).toEqual(['small0', 'small1', 'small2', 'large5']);
  });

  it('gives of two groups with as many in flight the one that has waited longer', () => {
    const q = queue();
    send(q, 'first', 10);
    send(q, 'second', 10);
    expect(take(q, 6).map(({ group }) => group)).toEqual(['first', 'second', 'first', 'second', 'first', 'second']);
  });

  it('counts a message that was deleted, or has come back, no longer as in flight', () => {
    const q = queue();
    send(q, 'first', 3);
    const [deleted, returned] = take(q, 2);
    send(q, 'second', 3);
    q.delete(deleted?.receiptHandle ?? '');
    q.changeVisibility(returned?.receiptHandle ?? '', 0);
    expect(take(q, 3).map(({ body }) => body)).toEqual(['second0', 'first1', 'second1']);
  });

  it('takes each message without a group for a group of its own', () => {
    const q = queue();
    send(q, undefined, 2);
    send(q, 'named', 2);
    expect(take(q, 4).map(({ body }) => body)).toEqual(['undefined0', 'undefined1', 'named0', 'named1']);
  });
});
