import { describe, expect, it } from 'vitest';
import { soonest } from '../../src/folder/soonest.ts';
import { TestClock } from '../support/test-clock.ts';

function world() {
  const clock = new TestClock();
  const asked: Array<PromiseWithResolvers<string>> = [];
  const answer = soonest(clock, () => {
    const request = Promise.withResolvers<string>();
    asked.push(request);
    return request.promise;
  });
  return { clock, asked, answer };
}

describe('asking until something answers', () => {
  it('asks once where the answer comes in time', async () => {
    const { clock, asked, answer } = world();
    asked[0]?.resolve('first');
    expect(await answer).toBe('first');
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
  });

  it('asks once more beside a late request, four times at most, and takes what comes first', async () => {
    const { clock, asked, answer } = world();
    await clock.advance(20_000);
    expect(asked).toHaveLength(4);
    asked[2]?.resolve('third');
    expect(await answer).toBe('third');
  });

  it('waits for a slow request while another one beside it has failed', async () => {
    const { clock, asked, answer } = world();
    await clock.advance(1_500);
    asked[1]?.reject(new Error('reset'));
    await clock.advance(100);
    asked[0]?.resolve('slow');
    expect(await answer).toBe('slow');
  });

  it('fails at once when the only request does, and asks no more', async () => {
    const { clock, asked, answer } = world();
    asked[0]?.reject(new Error('refused'));
    await expect(answer).rejects.toThrow('refused');
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
  });
});
