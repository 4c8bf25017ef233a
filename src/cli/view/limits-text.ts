import type { LimitsUsed } from '../../client/job-status.ts';
import type { ControlReason } from '../../format/control.ts';
import { type JobLimits, needsSeats } from '../../task/job-limits.ts';
import { rateText } from '../../task/rate.ts';
import { count, counted, duration } from '../wording.ts';

/** Workers of the stack, and calls that one of them awaits at once. */
interface Fleet {
  readonly workers: number;
  readonly concurrency: number;
}

/** What limits mean, in words: "20 at once in all, at most 50/s". */
export function limitsText(limits: JobLimits, fleet: Fleet): string {
  const parts = [pace(limits, fleet), ...stops(limits)];
  return parts.join('; ');
}

function pace(limits: JobLimits, { workers, concurrency }: Fleet): string {
  const { maxConcurrency, rate, units, rampMs, adaptive } = limits;
  const said = [
    ...(maxConcurrency === undefined ? [] : [`${count(maxConcurrency)} at once in all`]),
    ...(rate === undefined ? [] : [`at most ${rateText(rate)}`]),
    ...(units === undefined ? [] : [`at most ${rateText(units)} in units`]),
  ];
  const reach = `${counted(workers, 'worker')} × ${counted(concurrency, 'call')} = up to ${count(workers * concurrency)} calls at once`;
  return [
    needsSeats(limits) ? said.join(', ') : reach,
    ...(rampMs === undefined || rampMs === 0 ? [] : [`opening over ${duration(rampMs)}`]),
    ...(adaptive === false ? ['not slowing down by itself'] : []),
  ].join(', ');
}

function stops(limits: JobLimits): string[] {
  const { breaker, toleratedFailurePercentage, toleratedFailureCount, minSuccessful, budgetUsd, canary, canaryWait } =
    limits;
  return [
    ...(canary === undefined
      ? []
      : [`${counted(canary, 'item')} first${canaryWait === true ? ', then it pauses' : ''}`]),
    ...(breaker === undefined ? [] : [`pauses when ${breaker}% of the last calls fail`]),
    ...(toleratedFailurePercentage === undefined
      ? []
      : [`ends when over ${toleratedFailurePercentage}% of the items failed`]),
    ...(toleratedFailureCount === undefined ? [] : [`ends when over ${counted(toleratedFailureCount, 'item')} failed`]),
    ...(minSuccessful === undefined ? [] : [`ends when ${counted(minSuccessful, 'item')} succeeded`]),
    ...(budgetUsd === undefined ? [] : [`pauses when it has cost $${budgetUsd}`]),
  ];
}

const reasons: Readonly<Record<ControlReason, string>> = {
  user: 'it pauses, since somebody asked for it',
  breaker: 'it pauses since too many of its last calls failed',
  budget: 'it pauses since its budget is used up',
  canary: 'it pauses behind its canary items',
  tolerated: 'it ended, since more items failed than are tolerated',
  succeeded: 'it ended, since enough items have succeeded',
};

/** What of its limits a job uses: "1 of 1 worker holds them, 20 calls under way". */
export function usedText({ held, seats, running, before }: LimitsUsed): string {
  const holders = `${count(held)} of ${counted(seats, 'worker')} ${held === 1 ? 'holds' : 'hold'} them`;
  const said =
    before === undefined
      ? ''
      : `; ${duration(before.ageMs)} ago, when it was last said, there were ${count(before.running)}`;
  return `${holders}, ${counted(running, 'call')} under way${said}`;
}

/** Why a job stands as it does. */
export const reasonText = (reason: ControlReason): string => reasons[reason];
