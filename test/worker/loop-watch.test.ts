import { describe, expect, it } from 'vitest';
import { emptyDigest } from '../../src/format/digest.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { LoopWatch } from '../../src/worker/loop-watch.ts';
import { RunningJob } from '../../src/worker/running-job.ts';
import { WorkerState } from '../../src/worker/worker-state.ts';
import { TestClock } from '../support/test-clock.ts';
import { unlimitedPace } from './test-pace.ts';

const manifest: Manifest = {
  v: 1,
  jobId: 'j',
  task: 'heavy',
  createdAt: '2026-11-23T00:00:00.000Z',
  bundle: 'b',
  input: { bucket: 'jobs', key: 'k', bytes: 1, etag: 'e', format: 'ndjson' },
  options: { concurrency: 1, timeoutMs: 1_000, attempts: 1 },
  workers: 1,
  workerMemoryMb: 1_024,
  inline: false,
  request: 'r',
};

describe('LoopWatch', () => {
  /** A look whose timer comes late by `lateMs`, after the thread has used `cpuMs`. */
  async function look(times: { readonly lateMs: number; readonly cpuMs: number; readonly ran: boolean }) {
    const clock = new TestClock();
    const lines: string[] = [];
    const log = (_level: string, message: string): void => void lines.push(message);
    const state = new WorkerState(log, { mayPull: false, endAt: 0 });
    const job = new RunningJob(manifest, undefined, unlimitedPace(clock.now()));
    job.ranSince = times.ran;
    state.jobs.set('j', job);
    let late = 0;
    let cpu = 0;
    const lateClock = { now: () => clock.now() + late, after: clock.after.bind(clock) };
    const watch = new LoopWatch({ clock: lateClock, cpuMs: () => cpu, log }, state);
    late = times.lateMs;
    cpu = times.cpuMs;
    await clock.advance(50);
    watch.look();
    return { slow: job.takeSlow(), lines };
  }
  const none = { slowCallbacks: emptyDigest.slowCallbacks, slowestMs: emptyDigest.slowestMs };

  it('names the task of the job that ran while the loop was blocked', async () => {
    const { slow, lines } = await look({ lateMs: 300, cpuMs: 320, ran: true });
    expect(slow).toEqual({ slowCallbacks: 1, slowestMs: 300 });
    expect(lines).toEqual(['the event loop was blocked for 300 ms by the task "heavy"']);
  });

  it('says nothing of a loop that waited for the processor', async () => {
    expect(await look({ lateMs: 300, cpuMs: 20, ran: true })).toEqual({ slow: none, lines: [] });
  });

  it('says nothing of less than 100 ms, or of a job that ran nothing', async () => {
    expect(await look({ lateMs: 99, cpuMs: 99, ran: true })).toEqual({ slow: none, lines: [] });
    expect(await look({ lateMs: 300, cpuMs: 300, ran: false })).toEqual({ slow: none, lines: [] });
  });
});
