import { type ExecFileOptions, execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const clone = path.dirname(path.dirname(import.meta.dirname));

/** How a command in the project ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project of somebody's own, with the packed package installed. */
export interface InstalledProject {
  readonly root: string;
  /** Folders in `node_modules`, those of packages within packages included. */
  readonly packages: number;
  /** Megabytes of `node_modules` on the disk. */
  readonly megabytes: number;
  /** Runs a program of the project by this Node: a file of it, or of one of its packages. */
  node(args: readonly string[]): Promise<Ended>;
  fanloop(args: readonly string[]): Promise<Ended>;
  /** Runs the project's own CDK command line, which takes its app from `cdk.json`. */
  cdk(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended>;
  /** Checks the types of a project file by this clone's TypeScript. */
  tsc(tsconfig: string): Promise<Ended>;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Builds and packs this package, and installs the tarball in an empty folder, as a person would: by npm, with nothing but it and the
 * packages that are named, in this clone's versions.
 */
export async function installPackage(others: readonly string[] = []): Promise<InstalledProject> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fanloop-package-test-'));
  const root = path.join(folder, 'mine');
  const env = { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache') };
  await mkdir(root);
  await npm(['run', 'build', '--', '--clean'], { cwd: clone });
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: clone });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await npm(
    ['install', '--no-audit', '--no-fund', path.join(folder, tarball), ...(await Promise.all(others.map(pinned)))],
    {
      cwd: root,
    },
  );
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: root });
  const megabytes = Number((await run('du', ['-sm', 'node_modules'], { cwd: root })).stdout.split('\t')[0]);
  // Every project in TypeScript for Node has these types; this one takes them from here.
  for (const name of ['@types/node', 'undici-types'])
    await cp(path.join(clone, 'node_modules', name), path.join(root, 'node_modules', name), { recursive: true });
  const node = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    run(process.execPath, args, { cwd: root, env: { ...env, ...more } });
  return {
    root,
    packages: stdout.trim().split('\n').length - 1,
    megabytes,
    node: (args) => node(args),
    fanloop: (args) => node([path.join('node_modules', 'fanloop', 'bin', 'fanloop.js'), ...args]),
    cdk: (args, more) => node([path.join('node_modules', 'aws-cdk', 'bin', 'cdk'), ...args], more),
    tsc: (tsconfig) => node([path.join(clone, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', tsconfig]),
    write: async (files) => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(root, name)), { recursive: true });
        await writeFile(path.join(root, name), text);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function pinned(name: string): Promise<string> {
  const file = path.join(clone, 'node_modules', name, 'package.json');
  return `${name}@${JSON.parse(await readFile(file, 'utf8')).version}`;
}

/** @throws Error with npm's output when it fails */
async function npm(args: readonly string[], options: ExecFileOptions): Promise<void> {
  const { code, stdout, stderr } = await run('npm', args, options);
  if (code !== 0)
    throw new Error(`expected "npm ${args.join(' ')}" to succeed, got exit code ${code}:\n${stdout}${stderr}`);
}

const run = (file: string, args: readonly string[], options: ExecFileOptions): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(file, args, { ...options, encoding: 'utf8', maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
