import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildEngine } from './build-engine.ts';
import {
  type EngineRecord,
  engineFile,
  furtherSources,
  prebuilt,
  type SourceStamps,
  sourcesFile,
  stamp,
} from './engine.ts';
import { ownPackage } from './own-package.ts';

/** An engine that is not the newest any more may still be in use by a process that has just found it. */
const keepMs = 3_600_000;

/** Makes `prebuilt/`: what the package ships beside its compiled sources. Several may do so at once. */
async function prebuild(): Promise<void> {
  mkdirSync(prebuilt, { recursive: true });
  // Taken before the build, so that what changes meanwhile is seen as changed.
  const began = (file: string): string => stamp(path.join(ownPackage, file));
  const further = Object.fromEntries(furtherSources.map((file) => [file, began(file)]));
  const { folder, tasks, sources } = await buildEngine(ownPackage, prebuilt);
  const stamps: SourceStamps = { ...Object.fromEntries(sources.map((file) => [file, began(file)])), ...further };
  const record: EngineRecord = { folder: path.basename(folder), tasks };
  writeJson(sourcesFile, stamps);
  writeJson(engineFile, record);
  for (const name of readdirSync(prebuilt)) {
    const other = path.join(prebuilt, name);
    if (!/^(functions|tmp)-/.test(name) || other === folder) continue;
    if (Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? 0) > keepMs)
      rmSync(other, { recursive: true, force: true });
  }
}

function writeJson(name: string, content: unknown): void {
  const file = path.join(prebuilt, name);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(content));
  renameSync(`${file}.${process.pid}`, file);
}

await prebuild();
