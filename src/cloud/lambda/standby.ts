import type { ChildProcess } from 'node:child_process';
import type { ToStandby } from './runtime-protocol.ts';
import { type SpawnOptions, spawnRuntime } from './spawn-runtime.ts';

/** A process that needs nothing but its variables to be an environment of a function. */
interface Standby {
  readonly child: ChildProcess;
  readonly options: SpawnOptions;
}

/** At most one, for the first environment that this process starts. */
let standby: Standby | undefined;

/**
 * Starts a runtime before it is known whether an environment is needed, and of what: it loads `file` meanwhile. The first environment
 * takes it, where both can be the same; else it is ended, as it is at the end of this process, however that comes. The answer is its id.
 */
export function startStandby(options: SpawnOptions & { readonly file: string }): number | undefined {
  const child = spawnRuntime(options, [options.file]);
  const own = { child, options };
  const forget = (): void => {
    if (standby === own) standby = undefined;
  };
  // Without it, the environment starts as any other.
  child.on('error', forget);
  child.on('exit', forget);
  process.on('exit', endStandby);
  standby = own;
  return child.pid;
}

/** Ends the process that {@link startStandby} has started, where no environment has taken it. */
export function endStandby(): void {
  standby?.child.kill('SIGKILL');
  standby = undefined;
}

/** The process that stands by, told that it is this environment; undefined where there is none that could be. */
export function takeStandby(wanted: SpawnOptions): ChildProcess | undefined {
  if (standby === undefined) return undefined;
  const { child, options } = standby;
  if (!canBe(options, wanted)) {
    endStandby();
    return undefined;
  }
  standby = undefined;
  child.send({ variables: wanted.variables } satisfies ToStandby, () => {});
  return child;
}

/** Its folder, its memory, and what Node reads when it starts cannot be changed afterwards. */
function canBe(started: SpawnOptions, wanted: SpawnOptions): boolean {
  const isRead = (name: string): boolean => name.startsWith('NODE_') || Object.hasOwn(started.variables, name);
  const names = [...Object.keys(started.variables), ...Object.keys(wanted.variables)].filter(isRead);
  return (
    started.cwd === wanted.cwd &&
    started.memoryMb === wanted.memoryMb &&
    names.every((name) => started.variables[name] === wanted.variables[name])
  );
}
