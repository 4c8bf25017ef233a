/**
 * `npm run mutations`: breaks the code in the places that promises rest on, one after another, in a copy, and shows which check notices.
 * `--runs 200 --seed 1`: the campaign that each broken copy has to survive; `--only TEXT`: mutations whose name has the text;
 * `--part 2/3`: the second third of them.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutation, mutations } from './mutations.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
  },
});
const root = resolve(import.meta.dirname, '../..');
const copied = ['src', 'lambdas', 'lib', 'bin', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** The tests that stand closest to the mutated files; asked only where the simulator sees nothing. */
const nearTests = [
  'test/job',
  'test/worker',
  'test/folder',
  'test/format/share.test.ts',
  'test/testing/limits.test.ts',
];

const write = (text: string): void => void process.stdout.write(`${text}\n`);
/** What the code as it stands breaks: no mutation is to be credited with it. */
const known = new Set(brokenIn((await run(root, campaign())).output).map(({ line }) => line));
/** Tests that fail as the code stands. */
let failing: ReadonlySet<string> | undefined;
let missed = 0;
const [part = 1, parts = 1] = values.part.split('/').map(Number);
const chosen = mutations.filter(({ name }, n) => name.includes(values.only) && n % parts === part - 1);
for (const mutation of chosen) {
  const caught = await catchMutation(mutation);
  if (caught === undefined || caught.startsWith('STALE')) missed++;
  write(`${mutation.name.padEnd(52)} ${caught ?? 'NOT CAUGHT'}`);
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
    const chaos = await run(folder, campaign());
    const broken = brokenIn(chaos.output).find(({ line }) => !known.has(line));
    if (broken !== undefined) return `simulator, seed ${broken.seed}: ${broken.rule}`;
    if (!chaos.output.includes('runs that broke'))
      return `simulator: ${/^.*?(Error: .*)$/m.exec(chaos.output)?.[1] ?? 'it ended early'}`.slice(0, 160);
    failing ??= new Set(failedIn((await run(root, tests())).output));
    const failed = failedIn((await run(folder, tests())).output).find((name) => failing?.has(name) === false);
    return failed === undefined ? undefined : `test: ${failed}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function campaign(): readonly string[] {
  return ['test/chaos/main.ts', '--runs', values.runs, '--seed', values.seed];
}

function tests(): readonly string[] {
  return ['node_modules/vitest/vitest.mjs', 'run', '--reporter=tap-flat', ...nearTests];
}

/** Names of the tests that failed. */
function failedIn(output: string): readonly string[] {
  return [...output.matchAll(/^not ok \d+ - (.+?)(?: # time.*)?$/gm)].map(([, name = '']) => name);
}

/** The promises that a campaign's output says are broken, by seed. */
function brokenIn(output: string): readonly { readonly line: string; readonly seed: string; readonly rule: string }[] {
  return [...output.matchAll(/^seed (\d+): ([^:]+)/gm)].map(([line, seed = '', rule = '']) => ({ line, seed, rule }));
}

function run(
  cwd: string,
  given: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [...given], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      output += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => settle({ code, output }));
  });
}
