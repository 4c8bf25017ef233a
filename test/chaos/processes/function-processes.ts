import { readdirSync, readFileSync } from 'node:fs';

/** A process in which a function of the embedded cloud runs. */
export interface FunctionProcess {
  readonly pid: number;
  readonly isWorker: boolean;
}

/** The functions' processes that some processes have started; Linux tells them by /proc. */
export function functionProcesses(parents: readonly (number | undefined)[]): readonly FunctionProcess[] {
  const found: FunctionProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !parents.includes(parentOf(pid))) continue;
    if (!/\/runtime\.[jt]s\0/.test(read(`/proc/${pid}/cmdline`))) continue;
    // The fan-out of a run may have started before it was told which function it is.
    const [, functionName = ''] = /AWS_LAMBDA_FUNCTION_NAME=([^\0]*)/.exec(read(`/proc/${pid}/environ`)) ?? [];
    found.push({ pid, isWorker: /worker/i.test(functionName) });
  }
  return found;
}

/** The parent of a process; the name of its program may have spaces and brackets. */
const parentOf = (pid: number): number => Number(read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[1]);

/** What a file of a process says; nothing where the process has gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
