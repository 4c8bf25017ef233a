import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as zod from 'zod';
import * as fanloop from '../../src/task/index.ts';
import { faultKinds } from '../../src/testing/faults.ts';
import * as testing from '../../src/testing/index.ts';

const guide = await readFile(new URL('../../docs/testing.md', import.meta.url), 'utf8');

it('prints what the guide says that its examples print', async () => {
  const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const wanted = [...guide.matchAll(/^prints `([^`]+)`/gm)].map(([, text]) => text);
  const code = blocks.join('\n').replace(/^import .*$/gm, '');
  const printed: string[] = [];
  const print = { log: (...given: unknown[]) => printed.push(given.join(' ')) };
  const AsyncFunction = (async () => undefined).constructor as new (
    ...given: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(
    'fanloop',
    'testing',
    'zod',
    'console',
    `const { defineTask, TaskError } = fanloop; const { simulate } = testing; const { z } = zod; ${code}`,
  )(fanloop, testing, zod, print);
  expect(printed).toEqual(wanted);
});

it('names every kind of fault in the guide', () => {
  const named = (kind: string): boolean => {
    const [service, name] = [kind.slice(0, kind.indexOf('-')), kind.slice(kind.indexOf('-') + 1)];
    return guide.includes(`\`${kind}\``) || (/^(s3|sqs)$/.test(service) && guide.includes(`\`${name}\``));
  };
  expect(faultKinds.filter((kind) => !named(kind))).toEqual([]);
});
