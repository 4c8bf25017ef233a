import { describe, expect, it } from 'vitest';
import { readSources, type SourceFile, sourceFile } from './support/source-files.ts';

/** A folder's room, and the rooms that it may import from; packages are the business of `packages`. */
interface Room {
  readonly name: string;
  readonly holds: RegExp;
  readonly mayImport: readonly RegExp[];
  /** Packages and Node modules that the room may import. @default all */
  readonly packages?: RegExp;
}

const core = /^core\//;
const adapters = /^adapters\//;
const local = /^local\//;
const tasks = /^lambdas\/tasks\//;

const rooms: readonly Room[] = [
  { name: 'core', holds: core, mayImport: [core], packages: /^(zod|@standard-schema\/spec|node:async_hooks)$/ },
  { name: 'adapters', holds: adapters, mayImport: [adapters, core] },
  { name: 'tasks', holds: tasks, mayImport: [/^core\/(task|errors|limits)\.ts$/, /^core\/aio\//, adapters] },
  { name: 'handlers', holds: /^lambdas\/[^/]+\.ts$/, mayImport: [adapters, core] },
  { name: 'lib', holds: /^lib\//, mayImport: [/^lib\//, /^core\/(limits|environment)\.ts$/] },
  { name: 'local', holds: local, mayImport: [local, adapters, core], packages: /^(?!aws-cdk-lib)/ },
  {
    name: 'cli',
    holds: /^cli\//,
    mayImport: [/^cli\//, local, adapters, core, tasks],
    packages: /^(?!aws-cdk-lib|esbuild|fauxqs|dynalite)/,
  },
  { name: 'app', holds: /^bin\/app\.ts$/, mayImport: [/^lib\//, core] },
  { name: 'command', holds: /^bin\/fanloop\./, mayImport: [/^cli\//] },
];

/** What `core` may not touch: it is meaning, and the world comes to it by parameters. */
const impurities: ReadonlyArray<readonly [string, RegExp]> = [
  ['process', /(?<![.\w])process\s*\??\.\s*\w|(?<![.\w])process\s*\[/],
  ['timers', /(?<![.\w])(setTimeout|setInterval|setImmediate)\b|\bAbortSignal\.timeout\b/],
  ['the clock', /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w])performance\s*\./],
  ['randomness', /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/],
];

/** The real clock that `core/aio` runs on when nobody injects another: the one home of a timer in `core`. */
const realClock = 'core/aio/clock.ts';

/** Each arrow of a file that the design does not allow, in words. */
function wrongArrows(file: SourceFile): readonly string[] {
  const room = rooms.find(({ holds }) => holds.test(file.name));
  if (room === undefined) return [`${file.name} is in no room of the design`];
  return file.imports
    .filter((target) => !isAllowed(room, target))
    .map((target) => `${room.name}: ${file.name} -> ${target}`);
}

function isAllowed(room: Room, target: string): boolean {
  if (target === 'fanloop:tasks') return room.name === 'handlers';
  if (/^[\w-]+\/.*\.(ts|js|mjs|json)$/.test(target) || target.startsWith('../'))
    return room.mayImport.some((allowed) => allowed.test(target));
  return room.packages?.test(target) ?? true;
}

const sources = readSources(['bin', 'lib', 'lambdas', 'core', 'adapters', 'local', 'cli']);

describe('the tree', () => {
  it('is read: there are files with imports to judge', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(20);
  });

  it('has only the arrows that the design allows', () => {
    // The declaration of the module that the bundler writes names the type of what it holds.
    expect(sources.filter(({ name }) => name !== 'lambdas/tasks.d.ts').flatMap(wrongArrows)).toEqual([]);
  });

  it('keeps core pure', () => {
    const found = sources
      .filter(({ name }) => core.test(name) && name !== realClock)
      .flatMap(({ name, code }) =>
        impurities.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${name} uses ${what}`),
      );
    expect(found).toEqual([]);
  });

  it('has no default export in the rooms', () => {
    expect(sources.filter(({ code }) => /^export default\b/m.test(code)).map(({ name }) => name)).toEqual([]);
  });
});

describe('wrongArrows', () => {
  const arrowsOf = (name: string, text: string) => wrongArrows(sourceFile(name, text));

  it.each([
    ['core/job/turn.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['core/job/turn.ts', "import { readFile } from 'node:fs/promises';"],
    ['core/job/turn.ts', "import type { JobStore } from '../../adapters/job-store.ts';"],
    ['core/job/turn.ts', "import {\n  one,\n  two,\n} from '../../cli/run.ts';"],
    ['adapters/clients.ts', "import { handler } from '../lambdas/worker.ts';"],
    ['lambdas/worker.ts', "import { handler } from './tick.ts';"],
    ['lambdas/worker.ts', "import { task } from './tasks/http.ts';"],
    ['lambdas/tasks/http.ts', "import { environmentNames } from '../../core/environment.ts';"],
    ['lib/fanloop-stack.ts', "import { UsageError } from '../core/errors.ts';"],
    ['local/synthesis.ts', "import { bundleFunctions } from '../lib/bundle.ts';"],
    ['local/synthesis.ts', "const { App } = await import('aws-cdk-lib');"],
    ['cli/run.ts', "export { handler } from '../lambdas/fan-out.ts';"],
    ['cli/run.ts', "import '../bin/fanloop.js';"],
    ['cli/run.ts', "const app = await import('../bin/app.ts');"],
    ['adapters/clients.ts', "import { tasks } from 'fanloop:tasks';"],
    ['somewhere/else.ts', ''],
  ])('refuses %s with %s', (name, text) => {
    expect(arrowsOf(name, text)).toHaveLength(1);
  });

  it.each([
    ['lambdas/worker.ts', "import { tasks } from 'fanloop:tasks';\nimport { limits } from '../core/limits.ts';"],
    ['lambdas/tasks/http.ts', "import { z } from 'zod';\nimport { defineTask } from '../../core/task.ts';"],
    ['lib/bundle.ts', "import { build } from 'esbuild';\nimport { limits } from '../core/limits.ts';"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: The text is the code of a file.
    ['cli/tasks.ts', 'const module = await import(`../lambdas/tasks/${name}.ts`);'],
    [
      'core/aio/queue.ts',
      "// import { x } from 'node:fs';\n/** import { x } from '../../cli/run.ts'; */\nconst url = 'https://a.b/c';",
    ],
  ])('allows %s with %s', (name, text) => {
    expect(arrowsOf(name, text)).toEqual([]);
  });
});
