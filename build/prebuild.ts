import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildEngine } from '../src/bundle/build-engine.ts';
import { type EngineRecord, prebuilt, prebuiltFiles, stamp } from '../src/bundle/engine.ts';
import { ownPackage } from '../src/bundle/own-package.ts';
import { withoutCode } from '../src/bundle/stack-template.ts';
import { bundleCommand } from './bundle-command.ts';

/*
 * Makes `prebuilt/`, what the package ships beside its compiled sources: `node build/prebuild.ts [engine | template]`, both by default.
 * Several processes may do so at once.
 */

/** An engine that is not the newest any more may still be in use by a process that has just found it. */
const keepMs = 3_600_000;

/** What decides about the engine beside the files that are bundled: packages by their versions, and which tasks there are. */
const engineSources = [
  'package-lock.json',
  'lambdas/tasks',
  'src/bundle/build-engine.ts',
  'src/bundle/engine-parts.ts',
  'src/bundle/merge-chunks.ts',
  'src/bundle/plain-builtins.ts',
];

/** What the default stack is made from. */
const templateSources = [
  'package-lock.json',
  'bin/app.ts',
  'src/limits.ts',
  'src/format/metrics.ts',
  'lib',
  'src/runtime',
];

async function prebuildEngine(): Promise<void> {
  const further = stamps(engineSources);
  const { folder, tasks, sources } = await buildEngine(ownPackage, prebuilt);
  const record: EngineRecord = { folder: path.basename(folder), tasks };
  write('engineSources', { ...stamps(sources), ...further });
  write('engine', record);
  const command = await bundleCommand(ownPackage, prebuilt);
  write('command', {
    folder: command.folder,
    sources: stamps([
      ...command.sources,
      'package-lock.json',
      'build/bundle-command.ts',
      'src/bundle/merge-chunks.ts',
      'src/bundle/plain-builtins.ts',
    ]),
  });
  for (const name of readdirSync(prebuilt)) {
    const other = path.join(prebuilt, name);
    if (!/^(functions|command|tmp)-/.test(name) || other === folder || name === command.folder) continue;
    if (Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? 0) > keepMs)
      rmSync(other, { recursive: true, force: true });
  }
}

function prebuildTemplate(): void {
  const before = stamps(templateSources);
  const outDir = mkdtempSync(path.join(tmpdir(), 'fanloop-template-'));
  try {
    execFileSync(process.execPath, [path.join(ownPackage, 'bin', 'app.ts')], {
      cwd: ownPackage,
      // The library's own rule check of each template takes a second; `cdk synth` does it, and tests check this stack's rules.
      env: { ...process.env, CDK_OUTDIR: outDir, CDK_CONTEXT_JSON: '{}', CDK_VALIDATION: 'false' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    write('template', withoutCode(JSON.parse(readFileSync(path.join(outDir, 'Fanloop.template.json'), 'utf8'))));
    write('templateSources', before);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

/** Of each file, and of each file in a folder. */
function stamps(sources: readonly string[]): Readonly<Record<string, string>> {
  const files = sources.flatMap((source) => {
    const full = path.join(ownPackage, source);
    return statSync(full).isDirectory()
      ? [source, ...readdirSync(full).map((name) => path.join(source, name))]
      : [source];
  });
  return Object.fromEntries(files.map((file) => [file, stamp(path.join(ownPackage, file))]));
}

function write(file: keyof typeof prebuiltFiles, content: unknown): void {
  const target = path.join(prebuilt, prebuiltFiles[file]);
  writeFileSync(`${target}.${process.pid}`, JSON.stringify(content));
  renameSync(`${target}.${process.pid}`, target);
}

mkdirSync(prebuilt, { recursive: true });
const [part] = process.argv.slice(2);
// The template's stack is bundled too, so the engine comes first.
if (part !== 'template') await prebuildEngine();
if (part !== 'engine') prebuildTemplate();
