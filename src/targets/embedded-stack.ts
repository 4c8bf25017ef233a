import { createHash } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readStackTemplate } from '../bundle/engine.ts';
import { localCode } from '../bundle/local-code.ts';
import { findProject } from '../bundle/project.ts';
import { withSettings } from '../bundle/stack-template.ts';
import { limits } from '../limits.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { defaultStackName, parseSettings, requireRange, type StackSettings } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';

/** A stack that the embedded cloud can run. */
export interface EmbeddedStack {
  /** Absolute path of the CloudFormation template. */
  readonly templatePath: string;
  /** Absolute path of the folder of the functions' code. */
  readonly outDir: string;
  readonly stackName: string;
  /** The output that names the function of which one process can do the work of several. */
  readonly packed: string;
}

/**
 * The default stack with the tasks of a project, from the template that the package brings along: no CDK, and no synthesis.
 *
 * @throws UsageError `InvalidOptions` when a setting is out of range, or the folder of tasks does not exist
 */
export async function embeddedStack(settings: StackSettings, from: string = process.cwd()): Promise<EmbeddedStack> {
  usable(() => requireSettings(settings));
  const { folder, hash } = localCode(usable(() => findProject(from, settings.tasks)));
  const template = JSON.stringify(withSettings(readStackTemplate(), settings, hash));
  const name = createHash('sha256').update(template).digest('hex').slice(0, 12);
  const templatePath = path.join(folder, `template-${name}.json`);
  if (!existsSync(templatePath)) {
    writeFileSync(`${templatePath}.${process.pid}`, template);
    renameSync(`${templatePath}.${process.pid}`, templatePath);
  }
  return {
    templatePath,
    outDir: folder,
    stackName: settings.stackName ?? defaultStackName,
    packed: stackOutputs.workerFunction,
  };
}

/** Here one worker alone works too, where an event source mapping of AWS has two at least. */
function requireSettings({ workers, ...settings }: StackSettings): void {
  const known = new Map<string, unknown>(Object.entries(settings));
  if (workers !== undefined) requireRange('setting workers', workers, [1, limits.maxWorkers]);
  parseSettings((name) => known.get(name));
}

/** A setting or a place that cannot be used is the caller's to mend. @throws UsageError `InvalidOptions` */
export function usable<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) throw new UsageError('InvalidOptions', error.message, { cause: error });
    throw error;
  }
}
