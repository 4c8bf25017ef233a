import { Heap } from '../src/aio/loop/heap.ts';

/** How full slots can be kept by whoever starts calls of these times in this order, each as soon as a slot is free, at no cost of its own. */
export function mostBusy(callsMs: readonly number[], slots: number): number {
  const ends = new Heap<number>((a, b) => a < b);
  let [workMs, lastMs] = [0, 0];
  for (const ms of callsMs) {
    const startMs = ends.size < slots ? 0 : (ends.pop() ?? 0);
    workMs += ms;
    lastMs = Math.max(lastMs, startMs + ms);
    ends.push(startMs + ms);
  }
  return workMs / (slots * lastMs);
}
