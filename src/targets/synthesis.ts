import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
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

const projectRoot = path.resolve(import.meta.dirname, '../..');

/** Everything that the stack and its bundles are made from; a package's version stands in the lock file. */
const sources = ['bin/app.ts', 'lib', 'lambdas', 'src', 'cdk.json', 'package.json', 'package-lock.json'];

/** An output (18 MB) that was not used for this long is removed when the next one is made; a running embedded cloud may need its own till then. */
const keepMs = 24 * 3_600_000;

/**
 * Builds the bundles and synthesizes the stack in a child process, unless an output for the same sources and settings stands.
 *
 * @throws UsageError `InvalidOptions` when a setting is out of range or a task cannot be bundled.
 */
export async function synthesize(settings: StackSettings): Promise<Synthesis> {
  const stackName = settings.stackName ?? defaultStackName;
  const home = path.join(projectRoot, '.fanloop', 'synth');
  const outDir = path.join(home, await hashOf(settings));
  const synthesis: Synthesis = { outDir, stackName, templatePath: path.join(outDir, `${stackName}.template.json`) };
  if (await exists(synthesis.templatePath)) {
    // The time says that this output is in use, so that nobody removes it as an old one.
    await utimes(outDir, new Date(), new Date());
    return synthesis;
  }

  await mkdir(home, { recursive: true });
  await removeUnused(home);
  const workDir = await mkdtemp(path.join(home, 'tmp-'));
  try {
    await runApp(settings, workDir);
    await rename(workDir, outDir);
  } catch (error) {
    await rm(workDir, { recursive: true, force: true });
    // Another process may have put the same output there first.
    if (!(await exists(synthesis.templatePath))) throw error;
  }
  return synthesis;
}

async function runApp(settings: StackSettings, outDir: string): Promise<void> {
  const child = spawn(process.execPath, [path.join(projectRoot, 'bin', 'app.ts')], {
    cwd: projectRoot,
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
  if (exitCode === 2) throw new UsageError('InvalidOptions', output.trim());
  if (exitCode !== 0) throw new Error(`expected the stack to synthesize, got exit code ${exitCode}: ${output.trim()}`);
}

/** A hash of the content of every source, of the settings, and of the Node that runs the synthesis. */
async function hashOf(settings: StackSettings): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  hash.update(JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))));
  const files = (
    await Promise.all([...sources, ...(settings.tasks === undefined ? [] : [settings.tasks])].map(filesOf))
  )
    .flat()
    .sort();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  for (const [n, content] of contents.entries()) {
    hash.update(`\0${files[n]}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function filesOf(source: string): Promise<readonly string[]> {
  const full = path.resolve(projectRoot, source);
  if (!(await stat(full)).isDirectory()) return [full];
  const entries = await readdir(full, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

async function removeUnused(home: string): Promise<void> {
  const folders = (await readdir(home)).map((name) => path.join(home, name));
  await Promise.all(
    folders.map(async (folder) => {
      const changed = await stat(folder).then(
        (stats) => stats.mtimeMs,
        // Another process removed it first.
        () => Date.now(),
      );
      if (Date.now() - changed > keepMs) await rm(folder, { recursive: true, force: true });
    }),
  );
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
