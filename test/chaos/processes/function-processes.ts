import { readdirSync, readFileSync } from 'node:fs';

/** A process in which a function of the embedded cloud runs. */
export interface FunctionProcess {
  readonly pid: number;
  readonly isWorker: boolean;
}

/** A process, and who started it. */
export interface ProcessState {
  readonly pid: number;
  readonly parent: number;
  /** `S` sleeps, `R` runs, `T` stands still, `Z` is dead. */
  readonly state: string;
  readonly name: string;
}

/** What Linux tells of a process that is there. */
export function stateOf(pid: number): ProcessState | undefined {
  // The name of its program may have spaces and brackets.
  const [, rest] = read(`/proc/${pid}/stat`).split(/\) (?=[A-Z] )/);
  if (rest === undefined) return undefined;
  const [state = '', parent] = rest.split(' ');
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  const name = words.find((word, n) => n > 0 && !word.startsWith('-')) ?? words[0] ?? '';
  return { pid, parent: Number(parent), state, name: name.split('/').at(-1) ?? '' };
}

/** Some processes, and all that they have started, as it stands now. */
export function descendants(roots: readonly (number | undefined)[]): readonly ProcessState[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (stateOf(Number(name)) ?? []) : []));
  const found = all.filter(({ pid }) => roots.includes(pid));
  // The list grows while it is walked.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

/** The functions' processes that some processes have started; Linux tells them by /proc. */
export function functionProcesses(parents: readonly (number | undefined)[]): readonly FunctionProcess[] {
  const found: FunctionProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !parents.includes(stateOf(pid)?.parent)) continue;
    if (!/\/runtime\.[jt]s\0/.test(read(`/proc/${pid}/cmdline`))) continue;
    // The fan-out of a run may have started before it was told which function it is.
    const [, functionName = ''] = /AWS_LAMBDA_FUNCTION_NAME=([^\0]*)/.exec(read(`/proc/${pid}/environ`)) ?? [];
    found.push({ pid, isWorker: /worker/i.test(functionName) });
  }
  return found;
}

/** What a file of a process says; nothing where the process has gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
