import { limits } from '../limits.ts';
import type { Random } from '../ports.ts';

/**
 * Milliseconds to wait after attempt `attempt` (from 1): full jitter, but never shorter than the downstream's own wish.
 * Some of the jitter is added to that wish, so that those who were refused together do not come back together.
 */
export function backoffMs(attempt: number, retryAfterMs: number | undefined, random: Random): number {
  const ceiling = Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** (attempt - 1));
  const jitter = Math.round(random() * ceiling);
  return retryAfterMs === undefined
    ? jitter
    : retryAfterMs + Math.round(random() * Math.min(ceiling, retryAfterMs / 4));
}
