import { describe, expect, it } from 'vitest';
import { invocationsInChain, maxInvocationsInChain, traceInvocation } from '../../../src/cloud/lambda/recursion.ts';

const worker = 'arn:worker';
const tick = 'arn:tick';

describe('a chain of invocations', () => {
  it('begins at nothing for an event without a header', () => {
    expect(invocationsInChain(undefined, worker)).toBe(0);
    expect(invocationsInChain('Root=1-2-3;Sampled=1', worker)).toBe(0);
  });

  it('counts each function by itself', () => {
    let header: string | undefined;
    for (let turn = 1; turn <= maxInvocationsInChain; turn += 1) {
      header = traceInvocation([traceInvocation([header], tick)], worker);
      expect(invocationsInChain(header, worker)).toBe(turn);
      expect(invocationsInChain(header, tick)).toBe(turn);
    }
    expect(invocationsInChain(header, 'arn:other')).toBe(0);
  });

  it('keeps the root of its one cause', () => {
    const first = traceInvocation([undefined], worker);
    const root = /Root=[^;]+/.exec(first)?.[0];
    expect(traceInvocation([first], worker)).toContain(root);
  });

  it('goes on from the longest chain of a batch', () => {
    const short = traceInvocation([undefined], worker);
    const long = traceInvocation([traceInvocation([short], worker)], worker);
    expect(invocationsInChain(traceInvocation([short, long, undefined], worker), worker)).toBe(4);
  });
});
