import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleTasks } from '../bundle/bundle-tasks.ts';
import { findProject } from '../bundle/project.ts';
import { stackOutputs } from '../runtime/environment.ts';
import type { TargetOptions } from './target-options.ts';

/** Says to whom starts a job that the stack's code was made from other files than those here; undefined where it was not. */
export function codeNotice(
  outputs: Readonly<Record<string, string>>,
  options: Pick<TargetOptions, 'target' | 'stack' | 'tasks'>,
): string | undefined {
  const deployed = outputs[stackOutputs.bundleHash];
  if (deployed === undefined || deployed === hashOfCodeHere(options.tasks)) return undefined;
  const flags = [`--target ${options.target}`, ...(options.stack === undefined ? [] : [`--stack ${options.stack}`])];
  return `the stack runs other code than the files here; "fanloop deploy ${flags.join(' ')}" brings them there`;
}

/** Hash of the code that a deployment from here would have: the same files give the same one on every machine. */
function hashOfCodeHere(tasks: string | undefined): string {
  const outDir = mkdtempSync(path.join(tmpdir(), 'fanloop-hash-'));
  try {
    return bundleTasks({ tasks: findProject(process.cwd(), tasks).tasks, outDir }).hash;
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
