import { existsSync } from 'node:fs';
import path from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { clientSettings } from '../../src/aws/connection.ts';
import { JobStore } from '../../src/aws/job-store.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { cdkEnvironment } from '../../src/targets/cdk.ts';
import { describeStack, outputsOf } from '../../src/targets/deploy.ts';
import { constructOutputs } from '../../src/targets/find-construct.ts';
import { type InstalledProject, installPackage } from '../package/project.ts';
import '../support/localstack.ts';

const connection = inject('localStack');
const stackName = 'FanloopOwnApp';
const names = ['Jobs', 'Others'];
const at = ['--target', 'localstack', '--endpoint', connection.endpoint, '--stack', stackName];
let project: InstalledProject;
let outputs: Readonly<Record<string, string>>;

/** An app as `cdk init` writes it, with two constructs: one has the tasks of the project, the other only those that come along. */
const app = `
  const { App, Stack, RemovalPolicy } = require('aws-cdk-lib');
  const { Fanloop } = require('fanloop/cdk');
  const stack = new Stack(new App(), '${stackName}');
  const common = { workers: 2, table: false, removalPolicy: RemovalPolicy.DESTROY, allowPrivateNetwork: true };
  new Fanloop(stack, 'Jobs', { ...common, tasks: 'tasks' });
  new Fanloop(stack, 'Others', { ...common, tasks: 'none' });`;

const greet = `
  import { defineTask } from 'fanloop';
  import { z } from 'zod';
  export const task = defineTask({
    description: 'Greets', input: z.string(), example: 'you', run: async (name) => \`hello \${name}\`,
  });`;

/** The same for any target: what runs here runs there. */
const program = `
  import { connect } from 'fanloop';
  import { task } from './tasks/greet.ts';
  await using fanloop = await connect(JSON.parse(process.argv[2]));
  const items = Array.from({ length: 100 }, (_, n) => \`item \${n}\`);
  const values = await fanloop.map(task, items);
  console.log(values.length, values.every((value, n) => value === \`hello item \${n}\`));`;

async function cdk(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await project.cdk(args, cdkEnvironment(connection));
  expect(code, stdout + stderr).toBe(0);
}

async function readOutputs(): Promise<Readonly<Record<string, string>> | undefined> {
  const client = new CloudFormationClient(clientSettings(connection));
  try {
    const stack = await describeStack(client, stackName);
    return stack && outputsOf(stack);
  } finally {
    client.destroy();
  }
}

beforeAll(async () => {
  project = await installPackage(['aws-cdk', 'aws-cdk-lib', 'constructs']);
  await project.write({
    'app.js': app,
    'cdk.json': '{"app": "node app.js"}',
    'tasks/greet.ts': greet,
    'none/README.md': '',
    'program.mts': program,
  });
  await cdk('deploy', '--require-approval', 'never');
  outputs = (await readOutputs()) ?? {};
}, 600_000);

afterAll(async () => {
  const s3 = s3Client(connection);
  for (const name of names) {
    const store = new JobStore(s3, constructOutputs(outputs, { stack: stackName, name })[stackOutputs.bucket] ?? '');
    for (const key of await store.list('')) await store.delete(key);
  }
  s3.destroy();
  await cdk('destroy', '--force');
  await project.remove();
  expect(await readOutputs()).toBeUndefined();
});

describe('the installed construct in an app of one’s own', () => {
  it('starts jobs for whoever invokes its fan-out function', async () => {
    const client = new LambdaClient(clientSettings(connection));
    const { Payload } = await client.send(
      new InvokeCommand({
        FunctionName: outputs[`Jobs${stackOutputs.fanOutFunction}`],
        Payload: JSON.stringify({ task: 'greet', items: ['one', 'two'] }),
      }),
    );
    client.destroy();
    const { rows } = JSON.parse(new TextDecoder().decode(Payload)) as { rows: readonly { value: unknown }[] };
    expect(rows.map(({ value }) => value)).toEqual(['hello one', 'hello two']);
  });

  it('is found by the client by its stack and its name, and runs there what runs here', async () => {
    const deployed = { target: 'localstack', endpoint: connection.endpoint, stack: stackName, name: 'Jobs' };
    for (const target of [{}, deployed]) {
      const ended = await project.node(['program.mts', JSON.stringify(target)]);
      expect(ended).toMatchObject({ code: 0, stdout: '100 true\n' });
    }
  });

  it('shares no tasks and no jobs with another one of its stack', async () => {
    const unknown = await project.fanloop(['run', 'greet', '"one"', ...at, '--name', 'Others']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('greet') });
    const unnamed = await project.fanloop(['run', 'greet', '"one"', ...at]);
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('--name to choose one of Jobs, Others') });
  });

  it('is found by the command line, which leaves its stack alone', async () => {
    const item = '{"delayMs":1,"message":"hello"}';
    const run = await project.fanloop(['run', 'say-after', item, ...at, '--name', 'Others']);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('"value":"hello"') });
    const destroy = await project.fanloop(['destroy', ...at, '--yes']);
    expect(destroy).toMatchObject({ code: 2, stderr: expect.stringContaining(`"cdk destroy ${stackName}"`) });
    expect(await readOutputs()).toBeDefined();
    expect(existsSync(path.join(project.root, '.fanloop'))).toBe(false);
  });
});
