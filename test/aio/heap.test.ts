import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/aio/loop/heap.ts';

type Item = { readonly key: number; readonly order: number };

test('gives the items by key, and equals in the order they came, however pushes, pops, and removals mix', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 5 }) }),
    fc.constant('pop' as const),
    fc.record({ drop: fc.integer({ min: 0, max: 5 }) }),
  );
  const sameAsSorting = fc.property(fc.array(step), (steps) => {
    const heap = new Heap<Item>((a, b) => a.key < b.key);
    let model: Item[] = [];
    for (const [order, each] of steps.entries()) {
      if (each === 'pop') {
        model.sort((a, b) => a.key - b.key || a.order - b.order);
        expect(heap.peek()).toEqual(model[0]);
        expect(heap.pop()).toEqual(model.shift());
      } else if ('push' in each) {
        heap.push({ key: each.push, order });
        model.push({ key: each.push, order });
      } else {
        heap.keep(({ key }) => key !== each.drop);
        model = model.filter(({ key }) => key !== each.drop);
      }
      expect(heap.size).toBe(model.length);
    }
  });
  fc.assert(sameAsSorting, { numRuns: 300 });
});
