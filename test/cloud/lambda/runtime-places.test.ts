import { describe, expect, it } from 'vitest';
import { BusyLoop } from '../../../src/cloud/lambda/runtime-places.ts';

/** Looks of 100 ms until the loop counts as busy: how many it took, at most 50. */
function looksUntilBusy(look: { readonly utilization: number; readonly cpuMs: number }, loop = new BusyLoop()): number {
  for (let looks = 1; looks <= 50; looks++) if (loop.look({ ms: 100, ...look })) return looks;
  return Number.POSITIVE_INFINITY;
}

describe('a loop', () => {
  it('is busy after half a second in which it had a processor for itself, and again after as long', () => {
    const loop = new BusyLoop();
    expect(looksUntilBusy({ utilization: 0.95, cpuMs: 93 }, loop)).toBe(5);
    expect(looksUntilBusy({ utilization: 0.95, cpuMs: 93 }, loop)).toBe(5);
  });

  it('is busy only later where others have the processors, or a call blocks it', () => {
    expect(looksUntilBusy({ utilization: 1, cpuMs: 30 })).toBe(20);
    expect(looksUntilBusy({ utilization: 1, cpuMs: 0 })).toBe(20);
  });

  it('is not busy while it waits, and begins to count anew after that', () => {
    const loop = new BusyLoop();
    expect(looksUntilBusy({ utilization: 0.8, cpuMs: 80 }, loop)).toBe(Number.POSITIVE_INFINITY);
    for (let n = 0; n < 4; n++) expect(loop.look({ ms: 100, utilization: 1, cpuMs: 100 })).toBe(false);
    expect(loop.look({ ms: 100, utilization: 0.5, cpuMs: 50 })).toBe(false);
    expect(looksUntilBusy({ utilization: 1, cpuMs: 100 }, loop)).toBe(5);
  });
});
