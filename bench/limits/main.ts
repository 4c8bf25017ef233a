import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../src/targets/connect.ts';
import type { LimitsResult } from '../results.ts';
import { runLive } from './live.ts';
import { openMeterServer } from './meter.ts';
import { runScenarios } from './scenarios.ts';
import { steeringCosts } from './steering-cost.ts';

/** Measures limits on real processes of the embedded cloud, as a server in a process of its own sees them. */
export async function measureLimits(scale: number, parts: ReadonlySet<string>): Promise<Partial<LimitsResult>> {
  // On virtual time, which nothing else of this process may be on.
  const steering = parts.has('limits') ? { steering: await steeringCosts() } : {};
  const state = await mkdtemp(path.join(tmpdir(), 'fanloop-bench-limits-'));
  await using server = await openMeterServer();
  const fanloop = await connect({ state, tasks: path.join(import.meta.dirname, 'tasks'), workers: 5 });
  try {
    return {
      ...steering,
      ...(parts.has('limits') ? { scenarios: await runScenarios(fanloop, server, scale) } : {}),
      ...(parts.has('live') ? { live: await runLive({ fanloop, server, scale }) } : {}),
    };
  } finally {
    await fanloop.close();
    await rm(state, { recursive: true, force: true, maxRetries: 5 });
  }
}
