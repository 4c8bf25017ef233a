/**
 * `npm run mutations`: breaks the code in the places that promises rest on, one after another, in a copy, and shows which check notices.
 * `--runs 60 --seed 1`: simulated runs that each broken copy has to survive; `--only TEXT`: mutations whose name has the text.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutation, mutations } from './mutations.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const root = resolve(import.meta.dirname, '../..');
const copied = ['src', 'lambdas', 'lib', 'bin', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** A mutation may make a run endless: it is noticed by then. */
const longestMs = 180_000;

const write = (text: string): void => void process.stdout.write(`${text}\n`);
let missed = 0;
for (const mutation of mutations.filter(({ name }) => name.includes(values.only))) {
  const startedAt = performance.now();
  const caught = await catchMutation(mutation);
  if (caught === undefined || caught.startsWith('STALE')) missed++;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  write(`${mutation.name.padEnd(68)} ${caught ?? 'NOT CAUGHT'} (${seconds} s)`);
}
process.exitCode = missed === 0 ? 0 : 1;

/** The check that notices a mutation, with the first promise that it sees broken. */
async function catchMutation(mutation: Mutation): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'fanloop-mutation-'));
  try {
    for (const name of copied) await cp(join(root, name), join(folder, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const file = join(folder, mutation.file);
    const text = await readFile(file, 'utf8');
    const found = text.split(mutation.find).length - 1;
    if (found !== 1) return `STALE: its text stands ${found} times in ${mutation.file}; write the mutation anew`;
    await writeFile(
      file,
      text.replace(mutation.find, () => mutation.replace),
    );
    return (await caughtBySimulator(folder, mutation)) ?? (await caughtByTest(folder, mutation));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function caughtBySimulator(folder: string, { aim }: Mutation): Promise<string | undefined> {
  if (aim === undefined) return undefined;
  const hunt = (cwd: string, runs: string, seed: string) =>
    run(cwd, ['test/mutations/hunt.ts', '--aim', JSON.stringify(aim), '--runs', runs, '--seed', seed]);
  const output = await hunt(folder, values.runs, values.seed);
  const [, seed, rule] = /^BROKEN (\d+) (.*)$/m.exec(output) ?? (output === '' ? [] : ['', '?', output.slice(-160)]);
  if (seed === undefined) return undefined;
  // What the code as it stands breaks is no merit.
  const isOwn = seed !== '?' && (await hunt(root, '1', seed)) !== '';
  return isOwn ? undefined : `simulator, seed ${seed}: ${rule}`;
}

async function caughtByTest(folder: string, { test }: Mutation): Promise<string | undefined> {
  if (test === undefined) return undefined;
  const failed = async (cwd: string): Promise<readonly string[]> =>
    failedIn(await run(cwd, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=tap-flat', test]));
  const names = await failed(folder);
  if (names.length === 0) return undefined;
  const own = new Set(await failed(root));
  const name = names.find((one) => !own.has(one));
  return name === undefined ? undefined : `test: ${name}`;
}

/** Names of the tests that failed. */
function failedIn(output: string): readonly string[] {
  return [...output.matchAll(/^not ok \d+ - (.+?)(?: # time.*)?$/gm)].map(([, name = '']) => name);
}

/** What a program says; that it was too slow, where it did not end. */
function run(cwd: string, given: readonly string[]): Promise<string> {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [...given], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const timer = setTimeout(() => {
      output += `\nBROKEN 0 it did not end within ${longestMs / 1_000} s\n`;
      child.kill('SIGKILL');
    }, longestMs);
    const take = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      settle(output);
    });
  });
}
