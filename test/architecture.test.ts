import { describe, expect, it } from 'vitest';
import { readSources, type SourceFile, sourceFile } from './support/source-files.ts';

/** A folder, its floor, and the packages and Node modules that it may import. */
interface Room {
  readonly name: string;
  readonly holds: RegExp;
  /** Arrows run to rooms of this list only. */
  readonly mayImport: readonly string[];
  /** @default all */
  readonly packages?: RegExp;
}

const pure = /^(zod|@standard-schema\/spec|node:async_hooks)$/;
const noSynthesis = /^(?!aws-cdk-lib|constructs)/;
const meaning = ['limits', 'ports', 'concurrency', 'waiting', 'nearest', 'task', 'format'];
const world = [...meaning, 'aws', 'folder', 'input', 'job', 'runtime'];

const folder = (name: string) => new RegExp(`^src/${name}/`);
const file = (name: string) => new RegExp(`^src/${name}\\.ts$`);

/** From the ground up: no room imports from one that stands below it in this list. */
const rooms: readonly Room[] = [
  { name: 'limits', holds: file('limits'), mayImport: [], packages: pure },
  { name: 'ports', holds: file('ports'), mayImport: [], packages: pure },
  { name: 'concurrency', holds: file('concurrency'), mayImport: [], packages: pure },
  { name: 'nearest', holds: file('nearest'), mayImport: [], packages: pure },
  { name: 'waiting', holds: file('waiting'), mayImport: ['ports'], packages: pure },
  { name: 'aio', holds: folder('aio'), mayImport: [], packages: pure },
  { name: 'task', holds: folder('task'), mayImport: ['limits'], packages: pure },
  { name: 'format', holds: folder('format'), mayImport: ['limits', 'ports', 'task'], packages: pure },
  { name: 'aws', holds: folder('aws'), mayImport: meaning },
  { name: 'folder', holds: folder('folder'), mayImport: meaning, packages: pure },
  { name: 'input', holds: folder('input'), mayImport: meaning, packages: pure },
  { name: 'job', holds: folder('job'), mayImport: [...meaning, 'folder', 'input'], packages: pure },
  { name: 'worker', holds: folder('worker'), mayImport: [...meaning, 'aio', 'folder', 'input'], packages: pure },
  {
    name: 'start',
    holds: folder('start'),
    mayImport: [...meaning, 'folder', 'input', 'job', 'worker'],
    packages: pure,
  },
  { name: 'runtime', holds: folder('runtime'), mayImport: [...meaning, 'aio', 'aws', 'worker'] },
  { name: 'connectors', holds: folder('connectors'), mayImport: [...meaning, 'aio', 'aws'] },
  { name: 'tasks', holds: /^lambdas\/tasks\//, mayImport: ['limits', 'task', 'aio', 'connectors'] },
  { name: 'handlers', holds: /^lambdas\/[^/]+\.ts$/, mayImport: [...world, 'worker', 'start', 'connectors'] },
  {
    name: 'bundle',
    holds: folder('bundle'),
    mayImport: ['limits', 'task', 'runtime'],
    packages: /^(esbuild|node:.*)$/,
  },
  { name: 'lib', holds: /^lib\//, mayImport: ['limits', 'task', 'format', 'runtime', 'bundle'] },
  { name: 'client', holds: folder('client'), mayImport: [...world, 'aio'], packages: noSynthesis },
  {
    name: 'model',
    holds: folder('cloud/model'),
    mayImport: ['limits', 'ports', 'waiting', 'task', 'aio'],
    packages: pure,
  },
  {
    name: 'testing',
    holds: folder('testing'),
    mayImport: [...meaning, 'aio', 'folder', 'input', 'job', 'worker', 'start', 'client', 'model'],
    // It takes over the process's timers while a simulation runs, so it is not pure itself.
    packages: /^zod$/,
  },
  {
    name: 'cloud',
    holds: folder('cloud'),
    mayImport: [...meaning, 'aws', 'runtime', 'model'],
    packages: noSynthesis,
  },
  {
    name: 'targets',
    holds: folder('targets'),
    mayImport: [...world, 'bundle', 'connectors', 'client', 'cloud'],
    packages: noSynthesis,
  },
  { name: 'face', holds: file('index'), mayImport: ['task', 'format', 'client', 'targets'] },
  {
    name: 'cli',
    holds: folder('cli'),
    mayImport: [...world, 'bundle', 'client', 'targets'],
    packages: /^(?!aws-cdk-lib|constructs|esbuild|dynalite)/,
  },
  { name: 'app', holds: /^bin\/app\.ts$/, mayImport: ['lib', 'runtime'] },
  { name: 'command', holds: /^bin\/fanloop\./, mayImport: ['cli'] },
];

/** What the rooms of meaning may not touch: the world comes to them by parameters. */
const impurities: ReadonlyArray<readonly [string, RegExp]> = [
  ['process', /(?<![.\w])process\s*\??\.\s*\w|(?<![.\w])process\s*\[/],
  ['timers', /(?<![.\w])(setTimeout|setInterval|setImmediate)\b|\bAbortSignal\.timeout\b/],
  ['the clock', /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w])performance\s*\./],
  ['randomness', /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/],
];

/** The real clock that `aio` runs on when nobody injects another: the one home of a timer in the rooms of meaning. */
const realClock = 'src/aio/loop/clock.ts';

const roomOf = (name: string): Room | undefined => rooms.find(({ holds }) => holds.test(name));

/** Each arrow of a file that the design does not allow, in words. */
function wrongArrows(file: SourceFile): readonly string[] {
  const room = roomOf(file.name);
  if (room === undefined) return [`${file.name} is in no room of the design`];
  return file.imports
    .filter((target) => !isAllowed(room, target))
    .map((target) => `${room.name}: ${file.name} -> ${target}`);
}

function isAllowed(room: Room, target: string): boolean {
  if (target === 'lambdas/tasks.mjs') return room.name === 'handlers';
  if (!/^[\w-]+\/.*\.(ts|js|mjs|json)$/.test(target) && !target.startsWith('../'))
    return room.packages?.test(target) ?? true;
  const other = roomOf(target);
  return other !== undefined && (other === room ? room.name !== 'handlers' : room.mayImport.includes(other.name));
}

/** The groups of names that lead back to themselves, each sorted. */
function circles(arrows: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const ahead = [...(arrows.get(from) ?? [])];
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      ahead.push(...(arrows.get(name) ?? []));
    }
    return seen;
  };
  const reached = new Map([...arrows.keys()].map((name) => [name, reach(name)]));
  const groups = new Map<string, readonly string[]>();
  for (const [name, names] of reached) {
    if (!names.has(name)) continue;
    const group = [...names].filter((other) => reached.get(other)?.has(name) === true).sort();
    groups.set(group.join(), group);
  }
  return [...groups.values()];
}

/** Circles of files that stand from before this rule; each is to go, none may come. */
const knownCircles: readonly RegExp[] = [];

const sources = readSources(['bin', 'lib', 'lambdas', 'src']);

describe('the tree', () => {
  it('is read: there are files with imports to judge', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(20);
  });

  it('has only the arrows that the design allows', () => {
    // The declaration of the module that the bundler writes names the type of what it holds.
    expect(sources.filter(({ name }) => name !== 'lambdas/tasks.d.mts').flatMap(wrongArrows)).toEqual([]);
  });

  it('has no circle of files beside the known ones', () => {
    const found = circles(new Map(sources.map(({ name, imports }) => [name, imports])));
    expect(found.filter((group) => !group.every((name) => knownCircles.some((known) => known.test(name))))).toEqual([]);
  });

  it('has floors: no room may import from one that stands above it', () => {
    const place = new Map(rooms.map(({ name }, n) => [name, n]));
    const up = rooms.flatMap(({ name, mayImport }) =>
      mayImport
        .filter((other) => (place.get(other) ?? Infinity) >= (place.get(name) ?? -1))
        .map((other) => `${name} -> ${other}`),
    );
    expect(up).toEqual([]);
  });

  it('has connectors that know the world by their settings only', () => {
    const found = sources.filter(
      ({ name, code }) => roomOf(name)?.name === 'connectors' && /\bprocess\.env\b/.test(code),
    );
    expect(found.map(({ name }) => name)).toEqual([]);
  });

  it('keeps the rooms of meaning pure', () => {
    const isPure = (name: string) => roomOf(name)?.packages === pure && name !== realClock;
    const found = sources
      .filter(({ name }) => isPure(name))
      .flatMap(({ name, code }) =>
        impurities.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${name} uses ${what}`),
      );
    expect(found).toEqual([]);
  });

  it('tells targets apart by their names in one place', () => {
    const compares =
      /[!=]==?\s*'(embedded|localstack|aws)'|case\s+'(embedded|localstack|aws)'|'(embedded|localstack|aws)'\s*[!=]==?/;
    // What answers on a port may call itself LocalStack; that is no target.
    const asksAPort = /^src\/targets\/localstack\//;
    const found = sources.filter(({ name, code }) => compares.test(code) && !asksAPort.test(name));
    expect(found.map(({ name }) => name)).toEqual([]);
  });

  it('has no default export in the rooms', () => {
    expect(sources.filter(({ code }) => /^export default\b/m.test(code)).map(({ name }) => name)).toEqual([]);
  });
});

describe('wrongArrows', () => {
  const arrowsOf = (name: string, text: string) => wrongArrows(sourceFile(name, text));

  it.each([
    ['src/job/turn.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['src/job/turn.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/job/turn.ts', "import type { JobStore } from '../aws/job-store.ts';"],
    ['src/job/turn.ts', "import {\n  one,\n  two,\n} from '../cli/run.ts';"],
    ['src/aws/clients.ts', "import { handler } from '../../lambdas/worker.ts';"],
    ['lambdas/worker.ts', "import { handler } from './tick.ts';"],
    ['lambdas/worker.ts', "import { task } from './tasks/http.ts';"],
    ['lambdas/tasks/http.ts', "import { environmentNames } from '../../src/runtime/environment.ts';"],
    ['lib/fanloop.ts', "import { runWorker } from '../src/worker/worker-loop.ts';"],
    ['src/targets/synthesis.ts', "import { Fanloop } from '../lib/fanloop.ts';"],
    ['src/targets/synthesis.ts', "const { App } = await import('aws-cdk-lib');"],
    ['src/cli/run.ts', "export { handler } from '../../lambdas/fan-out.ts';"],
    ['src/cli/run.ts', "import '../../bin/fanloop.js';"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: The text is the code of a file.
    ['src/cli/tasks.ts', 'const module = await import(`../../lambdas/tasks/${name}.ts`);'],
    ['src/cli/run.ts', "const app = await import('../../bin/app.ts');"],
    ['src/aws/clients.ts', "import { tasks } from '../../lambdas/tasks.mjs';"],
    ['somewhere/else.ts', ''],
  ])('refuses %s with %s', (name, text) => {
    expect(arrowsOf(name, text)).toHaveLength(1);
  });

  it.each([
    ['lambdas/worker.ts', "import { tasks } from './tasks.mjs';\nimport { limits } from '../src/limits.ts';"],
    ['lambdas/tasks/http.ts', "import { z } from 'zod';\nimport { defineTask } from '../../src/task/task.ts';"],
    ['src/bundle/esbuild-tasks.ts', "import { buildSync } from 'esbuild';\nimport { faces } from './engine-parts.ts';"],
    ['src/cli/tasks.ts', "import { findProject } from '../bundle/project.ts';"],
    [
      'src/aio/queue.ts',
      "// import { x } from 'node:fs';\n/** import { x } from '../cli/run.ts'; */\nconst url = 'https://a.b/c';",
    ],
  ])('allows %s with %s', (name, text) => {
    expect(arrowsOf(name, text)).toEqual([]);
  });
});

describe('circles', () => {
  it('finds each circle once, and none where arrows run one way', () => {
    expect(
      circles(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', ['a']],
          ['d', []],
        ]),
      ),
    ).toEqual([['a', 'b', 'c']]);
  });
});
