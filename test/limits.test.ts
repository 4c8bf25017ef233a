import { expect, it } from 'vitest';
import { limits } from '../src/limits.ts';

/** What must hold between limits, whatever they are; looked at here, so that no function has to load it. */
const relations: ReadonlyArray<readonly [holds: boolean, relation: string]> = [
  [
    limits.tickQueueVisibilitySeconds >= limits.visibilityTimeouts * limits.tickTimeoutSeconds,
    'tick queue visibility ≥ 6 × tick timeout',
  ],
  [
    limits.deadLetterQueueVisibilitySeconds >= limits.visibilityTimeouts * limits.deadLetterTimeoutSeconds,
    'dead-letter queue visibility ≥ 6 × dead-letter timeout',
  ],
  [
    limits.maxTimeoutMs + limits.deadlineMarginMs < limits.workerTimeoutSeconds * 1_000,
    'longest item timeout + margin < worker timeout',
  ],
  [limits.guardTickSeconds > limits.fanOutTimeoutSeconds, 'guard tick later than the fan-out can run'],
  [
    limits.inlineMs + limits.deadlineMarginMs + limits.firstTurnMs < limits.fanOutTimeoutSeconds * 1_000,
    'turn 0 + inline share + margin < fan-out timeout',
  ],
  [limits.leaveCallsMs < limits.leaveMs, 'a worker that leaves has time to store what it has'],
  [limits.turnMs + limits.deadlineMarginMs < limits.tickTimeoutSeconds * 1_000, 'turn + margin < tick timeout'],
  [limits.chunkBytes >= limits.maxItemBytes, 'a chunk holds the largest item'],
  [limits.maxRetryAfterMs <= limits.maxDelaySeconds * 1_000, 'the longest Retry-After fits a message delay'],
];

it.each(relations.map(([holds, relation]) => [relation, holds] as const))('limits keep: %s', (_, holds) => {
  expect(holds).toBe(true);
});
