import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleTasks } from '../bundle/bundle-tasks.ts';
import { findProject, projectRoot } from '../bundle/project.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { stackAndName } from './find-construct.ts';
import type { TargetOptions } from './target-options.ts';

/** A stack whose code may be another than that of the files here. */
export interface CodeThere {
  /** Its outputs, by the names of `stackOutputs`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Whether `fanloop deploy` made it; else it is one of an app of the person's own. */
  readonly isDefault: boolean;
}

/**
 * Says to whom starts a job that the stack's code was made from other files than those here; undefined where it was not, and for an
 * app of which there is nothing here.
 */
export function codeNotice(
  { outputs, isDefault }: CodeThere,
  options: Pick<TargetOptions, 'target' | 'stack' | 'tasks'>,
): string | undefined {
  const deployed = outputs[stackOutputs.bundleHash];
  const tasks = options.tasks ?? (isDefault ? undefined : folderHere(outputs[stackOutputs.tasks]));
  if (!isDefault && !hasTasksHere(tasks)) return undefined;
  if (deployed === undefined || deployed === hashOfCodeHere(tasks)) return undefined;
  const flags = [`--target ${options.target}`, ...(options.stack === undefined ? [] : [`--stack ${options.stack}`])];
  const deploy = isDefault ? `fanloop deploy ${flags.join(' ')}` : `cdk deploy ${stackAndName(options).stackName}`;
  return `the stack runs other code than the files here; "${deploy}" brings them there`;
}

const hasTasksHere = (tasks: string | undefined): boolean =>
  tasks === undefined ? findProject(process.cwd()).tasks !== undefined : existsSync(tasks);

/** The folder that an app's outputs name, in the project here. */
const folderHere = (tasks: string | undefined): string | undefined =>
  tasks && path.resolve(projectRoot(process.cwd()), tasks);

/** Hash of the code that a deployment from here would have: the same files give the same one on every machine. */
function hashOfCodeHere(tasks: string | undefined): string {
  const outDir = mkdtempSync(path.join(tmpdir(), 'fanloop-hash-'));
  try {
    return bundleTasks({ tasks: findProject(process.cwd(), tasks).tasks, outDir }).hash;
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
