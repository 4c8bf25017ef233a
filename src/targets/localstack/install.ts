import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { isClone, ownPackage } from '../../bundle/own-package.ts';

const execute = promisify(execFile);
const executorFolder = path.join(ownPackage, isClone ? 'src' : 'dist/src', 'targets/localstack/executor');

/** Installs many wheels at once, in seconds where pip takes a minute. */
const uv = 'uv==0.13.9';

/** LocalStack needs 3.12; the lock was proven on 3.13, so that one comes first. */
const pythonVersions = ['3.13', '3.12', '3.14'];

/** Options of {@link installLocalStack}. */
export interface InstallOptions {
  /** Absolute path of the folder that keeps the installation. */
  readonly home: string;
  readonly signal?: AbortSignal;
  /** Told what takes time. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Installs the pinned LocalStack from PyPI with this project's executor, unless it is there; answers with its Python's path.
 *
 * @throws Error when no Python from 3.12 on is found, or when PyPI cannot be reached.
 */
export async function installLocalStack(options: InstallOptions): Promise<string> {
  const { home, signal } = options;
  const folder = path.join(home, `python-${await hashOfExecutor()}`);
  const python = path.join(folder, 'bin', 'python');
  if (await isThere(python)) return python;

  const base = await findPython();
  options.onProgress?.(`installing LocalStack from PyPI into ${home} (once)`);
  await mkdir(home, { recursive: true });
  // A virtual environment may be moved, and a folder renamed into place is complete: two processes may install at once.
  const work = await mkdtemp(path.join(home, 'installing-'));
  try {
    const venv = path.join(work, 'venv');
    const venvPython = path.join(venv, 'bin', 'python');
    const source = path.join(work, 'executor');
    // setuptools writes beside the sources that it builds.
    await cp(executorFolder, source, { recursive: true });
    // uv leaves lock files in the folder for temporary files.
    const inWork = { signal, env: { ...process.env, TMPDIR: work } };
    await execute(base, ['-m', 'venv', venv], inWork);
    await execute(venvPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', uv], inWork);
    const install = ['-m', 'uv', 'pip', 'install', '--quiet', '--python', venvPython];
    await execute(venvPython, [...install, '-r', path.join(source, 'requirements.txt')], inWork);
    await execute(venvPython, [...install, '--no-deps', '--no-build-isolation', source], inWork);
    await rename(venv, folder).catch(async (error: unknown) => {
      if (!(await isThere(python))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await removeOthers(home, path.basename(folder));
  return python;
}

/** Finds a Python from 3.12 on, in PATH or among pyenv's versions. */
async function findPython(): Promise<string> {
  const versions = path.join(process.env['PYENV_ROOT'] ?? path.join(homedir(), '.pyenv'), 'versions');
  const installed = await readdir(versions).catch(() => []);
  const ofVersion = pythonVersions.flatMap((version) => [
    `python${version}`,
    ...installed
      .filter((name) => name.startsWith(`${version}.`))
      .map((name) => path.join(versions, name, 'bin', 'python3')),
  ]);
  for (const candidate of [...ofVersion, 'python3', 'python']) {
    const check = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))';
    const fits = await execute(candidate, ['-c', check]).then(
      () => true,
      () => false,
    );
    if (fits) return candidate;
  }
  throw new Error(
    'expected Docker, or Python 3.12 or newer in PATH or under pyenv, to run LocalStack with, got neither: install one of them',
  );
}

async function hashOfExecutor(): Promise<string> {
  const entries = await readdir(executorFolder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256').update(uv);
  for (const file of files) hash.update(path.relative(executorFolder, file)).update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

/** An installation of another lock is 400 MB that nobody uses any more. */
async function removeOthers(home: string, kept: string): Promise<void> {
  const others = (await readdir(home)).filter((name) => name.startsWith('python-') && name !== kept);
  await Promise.all(others.map((name) => rm(path.join(home, name), { recursive: true, force: true })));
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
