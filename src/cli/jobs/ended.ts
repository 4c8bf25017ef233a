import type { Summary } from '../../format/summary.ts';
import { isUsageCode, UsageError } from '../../task/errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

/** Zero when every item succeeded. @throws UsageError what was wrong with an input that was refused as a whole */
export function exitCodeOf(summary: Summary): ExitCode {
  if (summary.end === 'refused') {
    const { code = '', message = 'no reason is known' } = summary.problem ?? {};
    throw new UsageError(
      isUsageCode(code) ? code : 'InvalidInput',
      `the input was refused and nothing ran: ${message}`,
    );
  }
  return summary.totals.failed + summary.totals.cancelled === 0 ? exitCodes.ok : exitCodes.failed;
}
