import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Ends the execution environments of an owner that was killed, also those whose event loop is blocked. */
export interface Reaper {
  /** Takes note of a process group. */
  watch(processGroup: number): void;
  /** Forgets a group that has ended: its number may be given to others. */
  forget(processGroup: number): void;
  close(): Promise<void>;
}

/** Each line replaces the list of groups; the end of the input says that the owner is gone, however it went. */
const script =
  'while read -r line; do groups=$line; done; for group in $groups; do kill -KILL "-$group"; done 2>/dev/null';

/** Starts a shell in a session of its own that outlives the owner for a moment. */
export function startReaper(): Reaper {
  const groups = new Set<number>();
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // Where there is no such shell, environments still end by themselves when their channel closes.
  shell.on('error', () => {});
  // The types do not say so, but a process that could not be started has no streams.
  const input: Writable | undefined = shell.stdin;
  input?.on('error', () => {});
  shell.unref();
  const tell = (): void => {
    if (input?.writable) input.write(`${[...groups].join(' ')}\n`);
  };
  return {
    watch: (group) => {
      groups.add(group);
      tell();
    },
    forget: (group) => {
      groups.delete(group);
      tell();
    },
    close: async () => {
      if (shell.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
      input?.end();
      await once(shell, 'exit');
    },
  };
}
