import type { Summary } from '../../../src/format/summary.ts';
import type { CliProcess, Ended } from '../../cli/cli-process.ts';
import { summaryOf, within } from './command.ts';

/** A job ends within this time of its last fault: a process that stood still holds its messages for 9 s, a lost message is missed after 18. */
const endsWithinMs = 60_000;

/** A job whose commands may be killed. */
interface Followed {
  readonly jobId: string;
  /** Gives a command, in place of the one before. */
  readonly start: (args: readonly string[]) => CliProcess;
  readonly count: (kind: string) => void;
  /** When the last fault was over, in milliseconds since the epoch. */
  readonly quietSince: () => number;
}

/** Follows a job from the command that began it: who was killed, or could not go on, watches on. Says so when it does not end in time. */
export function followFirst(command: CliProcess, job: Followed): Promise<Summary | string> {
  return follow(command, job, { isEnd: () => true, goesOn: ['watch', job.jobId] });
}

/** Runs items of a job again: who was killed looks what has become of it, and asks again where nothing has. */
export function followPass(chosen: readonly string[], job: Followed): Promise<Summary | string> {
  const redrive = ['redrive', job.jobId, ...chosen];
  const isEnd = ({ passes = 0 }: Summary): boolean => passes > 0;
  return follow(job.start(redrive), job, { isEnd, goesOn: ['watch', job.jobId], asksAgain: redrive });
}

async function follow(
  first: CliProcess,
  { jobId, start, count, quietSince }: Followed,
  how: {
    readonly isEnd: (summary: Summary) => boolean;
    readonly goesOn: readonly string[];
    readonly asksAgain?: readonly string[];
  },
): Promise<Summary | string> {
  let command = first;
  while (true) {
    const ended = await endedOf(command, quietSince);
    const summary = ended === undefined ? undefined : summaryOf(ended.stdout);
    if (summary !== undefined && how.isEnd(summary)) return summary;
    if (ended === undefined || Date.now() - quietSince() > endsWithinMs)
      return `the job ${jobId} did not end within ${endsWithinMs / 1_000} s of the last fault: ${ended?.stderr ?? ''}`;
    count(`command ended with ${ended.code}`);
    command = start(summary === undefined ? how.goesOn : (how.asksAgain ?? how.goesOn));
  }
}

/** How a command ended; undefined where it goes on for longer after the last fault than any job may. */
async function endedOf(command: CliProcess, quietSince: () => number): Promise<Ended | undefined> {
  const leftMs = (): number => quietSince() + endsWithinMs - Date.now();
  while (leftMs() > 0) {
    const ended = await within(command.ended, leftMs());
    if (ended !== undefined) return ended;
  }
  return undefined;
}
