import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Fanloop } from '../../lib/fanloop.ts';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { codeNotice } from '../../src/targets/code-here.ts';

let tasks: string;
beforeEach(() => {
  tasks = path.join(mkdtempSync(path.join(tmpdir(), 'fanloop-code-test-')), 'tasks');
  mkdirSync(tasks);
  writeFileSync(path.join(tasks, 'one.ts'), "import { defineTask } from 'fanloop';\nexport const task = defineTask;\n");
});
afterEach(() => rmSync(path.dirname(tasks), { recursive: true }));

/** The outputs of a stack that was deployed from these tasks. */
function deployed(): Readonly<Record<string, string>> {
  const stack = new Stack();
  new Fanloop(stack, 'Default', { tasks });
  const outputs = Template.fromStack(stack).findOutputs('*');
  return Object.fromEntries(
    [stackOutputs.bundleHash, stackOutputs.tasks].map((name) => [name, String(outputs[name]?.['Value'])]),
  );
}

it('says nothing while the files are those that were deployed, and what to do once they are not', () => {
  const outputs = deployed();
  const options = { target: 'aws', stack: 'Mine', tasks } as const;
  expect(codeNotice({ outputs, isDefault: true }, options)).toBeUndefined();
  writeFileSync(path.join(tasks, 'one.ts'), "export { defineTask as task } from 'fanloop';\nconsole.error('new');\n");
  expect(codeNotice({ outputs, isDefault: true }, options)).toBe(
    'the stack runs other code than the files here; "fanloop deploy --target aws --stack Mine" brings them there',
  );
});

it('names the app’s own way to deploy, and is silent where the app’s tasks are not', () => {
  const there = { outputs: deployed(), isDefault: false };
  const options = { target: 'aws', stack: 'Mine/Jobs' } as const;
  expect(codeNotice(there, options)).toBeUndefined();
  writeFileSync(path.join(tasks, 'one.ts'), "export { defineTask as task } from 'fanloop';\nconsole.error('new');\n");
  expect(codeNotice(there, options)).toBe(
    'the stack runs other code than the files here; "cdk deploy Mine" brings them there',
  );
  const elsewhere = { ...there, outputs: { ...there.outputs, [stackOutputs.tasks]: 'no/such/folder' } };
  expect(codeNotice(elsewhere, options)).toBeUndefined();
});
