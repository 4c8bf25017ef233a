import { expect, it } from 'vitest';
import type { Manifest } from '../../src/format/manifest.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { limits } from '../../src/limits.ts';
import { OpenChunk } from '../../src/worker/open-chunk.ts';
import { RunningJob } from '../../src/worker/running-job.ts';
import { WorkerState } from '../../src/worker/worker-state.ts';
import { unlimitedPace } from './test-pace.ts';

it('has no room when input and rows together reach 64 MiB, and has it again when the chunk is gone', () => {
  const state = new WorkerState(() => undefined, { mayPull: true, endAt: 0 });
  const bounds = { start: 0, end: 9, first: 0, count: 1 };
  const chunk = new OpenChunk({
    // Only its id is looked at here.
    job: new RunningJob({ jobId: 'j' } as Manifest, undefined, unlimitedPace()),
    held: {
      message: workMessage('j', { part: 0, chunk: 0, bounds }),
      messageId: 'm',
      receiptHandle: 'r',
      receiveCount: 1,
    },
    kept: undefined,
    heldBytes: limits.heldBytes / 2,
    todo: 1,
    now: 0,
  });
  state.heldBytes += chunk.heldBytes;
  state.add(chunk);
  expect(state.roomBytes).toBe(limits.heldBytes / 2);
  const row = { index: 0, status: 'succeeded', value: 1, attempts: 1, durationMs: 1 } as const;
  chunk.settle(row, { bytes: limits.heldBytes / 2, callMs: 1 });
  expect(state.roomBytes).toBe(0);
  state.remove(chunk);
  expect(state.roomBytes).toBe(limits.heldBytes);
});
