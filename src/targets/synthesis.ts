import { spawn } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeInCache } from '../bundle/cache.ts';
import { isClone, ownPackage } from '../bundle/own-package.ts';
import { cacheFolder } from '../bundle/project.ts';
import { defaultStackName, type StackSettings } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';

/** A synthesized stack: a cloud assembly of the CDK. */
export interface Synthesis {
  /** Absolute path of the CloudFormation template. */
  readonly templatePath: string;
  /** Absolute path of the assembly's folder; assets are in it. */
  readonly outDir: string;
  readonly stackName: string;
}

/** Outputs that are kept, some megabytes each: the newest, and one that another process may be deploying. */
const kept = 2;

/**
 * Synthesizes the default stack with the tasks of the project of the working directory, in a child process: the CDK takes a while to load.
 *
 * @throws UsageError `InvalidOptions` when a setting is out of range, a task cannot be bundled, or the CDK is not installed
 */
export async function synthesize(settings: StackSettings, cache: string = cacheFolder()): Promise<Synthesis> {
  const stackName = settings.stackName ?? defaultStackName;
  const home = path.join(cache, 'synth');
  const outDir = makeInCache(path.join(home, `${stackName}-`), cache);
  try {
    await runApp(settings, outDir);
  } catch (error) {
    rmSync(outDir, { recursive: true, force: true });
    throw error;
  }
  removeOld(home);
  return { outDir, stackName, templatePath: path.join(outDir, `${stackName}.template.json`) };
}

const app = isClone ? path.join(ownPackage, 'bin', 'app.ts') : path.join(ownPackage, 'dist', 'bin', 'app.js');

async function runApp(settings: StackSettings, outDir: string): Promise<void> {
  const child = spawn(process.execPath, [app], {
    env: {
      ...process.env,
      CDK_OUTDIR: outDir,
      CDK_CONTEXT_JSON: JSON.stringify(settings),
      // The library's own rule check of each template takes a second; `cdk synth` does it, and tests check this stack's rules.
      CDK_VALIDATION: 'false',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode === 0) return;
  if (exitCode === 2) throw new UsageError('InvalidOptions', output.trim());
  if (
    /ERR_MODULE_NOT_FOUND[\s\S]*(aws-cdk-lib|constructs)|Cannot find package '(aws-cdk-lib|constructs)'/.test(output)
  ) {
    throw new UsageError(
      'InvalidOptions',
      'expected the CDK, which deploying needs, got none; "npm i -D aws-cdk-lib constructs aws-cdk" installs it',
    );
  }
  throw new Error(`expected the stack to synthesize, got exit code ${exitCode}: ${output.trim()}`);
}

function removeOld(home: string): void {
  const folders = readdirSync(home)
    .map((name) => path.join(home, name))
    .map((folder) => ({ folder, madeMs: statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.madeMs - a.madeMs);
  for (const { folder } of folders.slice(kept)) rmSync(folder, { recursive: true, force: true });
}
