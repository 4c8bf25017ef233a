import type { Progress } from '../../client/progress.ts';
import { count, dollars, duration, percent, rate } from '../wording.ts';

/**
 * The words beside a bar or in a line, most important first: counts, share, rate, time left, failures, what refusals came to,
 * retries, cost.
 * Until something has settled, which takes as long as a chunk, the time so far shows that the job is alive.
 */
export function progressDetails(progress: Progress): readonly string[] {
  const {
    items,
    total,
    read,
    failed,
    retries,
    perSecond,
    remainingMs,
    elapsedMs,
    costUsd,
    usedUsd,
    refusals,
    brakedTo,
  } = progress;
  if (total === undefined) return [read === 0 ? 'reading the input' : `reading the input: ${count(read)} items`];
  return [
    `${count(items)}/${count(total)}`,
    percent(items, total),
    perSecond === undefined ? duration(elapsedMs) : rate(perSecond),
    ...(remainingMs === undefined || items === total ? [] : [`${duration(Math.max(1_000, remainingMs))} left`]),
    ...(failed === 0 ? [] : [`${count(failed)} failed`]),
    ...(refusals === 0 ? [] : [`${count(refusals)} refused for the rate`]),
    ...(brakedTo === undefined ? [] : [`asking at most ${rate(brakedTo)} now`]),
    ...(retries === 0 ? [] : [`${count(retries)} ${retries === 1 ? 'retry' : 'retries'}`]),
    ...(costUsd === 0 ? [] : [`${dollars(costUsd)} on AWS`]),
    ...(usedUsd === undefined ? [] : [`${dollars(usedUsd)} by the task`]),
  ];
}
