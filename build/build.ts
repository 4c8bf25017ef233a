import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeCommonJsFace } from '../src/bundle/cdk-face.ts';
import { ownPackage } from '../src/bundle/own-package.ts';
import { writeProgramFace } from './program-face.ts';

/* Makes all that the package ships: `dist/` from the sources, and `prebuilt/`. About 5 s; `npm ci` of a clone does it too. */

const dist = path.join(ownPackage, 'dist');
const run = (...args: readonly string[]): void => {
  execFileSync(process.execPath, args, { cwd: ownPackage, stdio: 'inherit' });
};

rmSync(dist, { recursive: true, force: true });
// A packed engine is the only one; in a clone, a process may still use an older one.
if (process.argv.includes('--clean') && existsSync(path.join(ownPackage, 'prebuilt')))
  rmSync(path.join(ownPackage, 'prebuilt'), { recursive: true, force: true });
run(path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json');
run(path.join('build', 'prebuild.ts'));
writeCommonJsFace(path.join(dist, 'lib'));
writeProgramFace(path.join(dist, 'src'));
