import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What is decided about a runtime's process when it starts. */
export interface SpawnOptions {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMb: number;
}

/** What a cold start fills, about. */
const startSemiSpaceMb = 16;

/** Beside this file, compiled as it is. */
const program = fileURLToPath(new URL(`runtime${import.meta.url.slice(-3)}`, import.meta.url));

/** Starts the program of `runtime.ts`; what is wrong with it comes as an event. */
export function spawnRuntime({ cwd, variables, memoryMb }: SpawnOptions, args: readonly string[] = []): ChildProcess {
  // Lambda gives the heap 90 % of the memory, and the young generation 5 %.
  const semiSpaceMb = Math.max(1, Math.floor(memoryMb * 0.05));
  const heap = [
    `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
    `--max-semi-space-size=${semiSpaceMb}`,
    // It would grow to that from 1 MB: a twentieth of a cold start is spent on clearing it again and again.
    `--min-semi-space-size=${Math.min(semiSpaceMb, startSemiSpaceMb)}`,
  ];
  return spawn(process.execPath, [...heap, program, ...args], {
    cwd,
    env: variables,
    // A group of its own: Ctrl-C at a terminal is for the owner, and killing the group ends grandchildren as well.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}
