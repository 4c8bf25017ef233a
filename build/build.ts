import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeCommonJsFace } from '../src/bundle/cdk-face.ts';
import { findEngine, prebuilt, prebuiltFiles } from '../src/bundle/engine.ts';
import { ownPackage } from '../src/bundle/own-package.ts';
import { writeProgramFace } from './program-face.ts';

/* Makes all that the package ships: `dist/` from the sources, and `prebuilt/`. About 5 s; `npm ci` of a clone does it too. */

const dist = path.join(ownPackage, 'dist');
const run = (...args: readonly string[]): void => {
  execFileSync(process.execPath, args, { cwd: ownPackage, stdio: 'inherit' });
};

rmSync(dist, { recursive: true, force: true });
run(path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json');
run(path.join('build', 'prebuild.ts'));
writeCommonJsFace(path.join(dist, 'lib'));
writeProgramFace(path.join(dist, 'src'));

// A packed engine is the only one; in a clone, a process may have just found an older one, so they stay for a while otherwise.
if (process.argv.includes('--clean')) {
  const { folder } = findEngine();
  const { folder: command } = JSON.parse(readFileSync(path.join(prebuilt, prebuiltFiles.command), 'utf8')) as {
    folder: string;
  };
  for (const name of readdirSync(prebuilt)) {
    if (/^(functions|command)-/.test(name) && name !== path.basename(folder) && name !== command)
      rmSync(path.join(prebuilt, name), { recursive: true, force: true });
  }
}
