import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { environmentNames } from '../../../src/runtime/environment.ts';

/** The process that owns a run's state folder. */
export interface OwnerProcess {
  readonly child: ChildProcess;
  readonly endpoint: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Starts it; it says of each fault of its faces which it was. */
export async function startOwner(
  args: readonly string[],
  {
    usesSdk,
    nodeOptions,
    onFault,
  }: {
    readonly usesSdk: boolean;
    readonly nodeOptions: readonly string[];
    readonly onFault: (kind: string) => void;
  },
): Promise<OwnerProcess> {
  const child = fork(join(import.meta.dirname, 'owner.ts'), args, {
    execArgv: [...nodeOptions],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...(usesSdk && { [environmentNames.sdk]: 'true' }) },
  });
  const started = new Promise<Omit<OwnerProcess, 'child'>>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`expected an owner that starts, got exit code ${code}`)));
    child.on('message', (message) => {
      // The owner of this folder wrote it.
      const told = message as { readonly fault: string } | Omit<OwnerProcess, 'child'>;
      if ('fault' in told) onFault(told.fault);
      else resolve(told);
    });
  });
  return { child, ...(await started) };
}
