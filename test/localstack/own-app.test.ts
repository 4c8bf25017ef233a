import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Fanloop } from '../../lib/index.ts';
import { clientSettings } from '../../src/aws/connection.ts';
import { JobStore } from '../../src/aws/job-store.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { runCdk } from '../../src/targets/cdk.ts';
import { connect } from '../../src/targets/connect.ts';
import { describeStack, outputsOf } from '../../src/targets/deploy.ts';
import { constructOutputs } from '../../src/targets/find-construct.ts';
import { runCli } from '../cli/cli-process.ts';
import '../support/localstack.ts';

const connection = inject('localStack');
const stackName = 'FanloopOwnApp';
const names = ['Jobs', 'Others'];
const at = { target: 'localstack', endpoint: connection.endpoint } as const;
let project: string;
let outputs: Readonly<Record<string, string>>;

/** An app of one's own with two constructs: one has a task of the project, the other only those that come along. */
function synthesize(outdir: string): void {
  const app = new App({ outdir });
  const stack = new Stack(app, stackName);
  const common = { workers: 2, table: false, removalPolicy: RemovalPolicy.DESTROY, allowPrivateNetwork: true };
  new Fanloop(stack, 'Jobs', { ...common, tasks: path.join(project, 'tasks') });
  new Fanloop(stack, 'Others', { ...common, tasks: path.join(project, 'none') });
  app.synth();
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
  project = mkdtempSync(path.join(tmpdir(), 'fanloop-own-app-test-'));
  for (const folder of ['tasks', 'none']) mkdirSync(path.join(project, folder));
  writeFileSync(path.join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(
    path.join(project, 'tasks', 'greet.ts'),
    `import { defineTask } from 'fanloop';
     const input = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
     export const task = defineTask({
       description: 'Greets', input, example: 'you', run: async (name) => \`hello \${String(name)}\`,
     });`,
  );
  synthesize(path.join(project, 'cdk.out'));
  await runCdk(['deploy', stackName, '--app', path.join(project, 'cdk.out'), '--require-approval', 'never'], {
    connection,
  });
  outputs = (await readOutputs()) ?? {};
});

afterAll(async () => {
  const s3 = s3Client(connection);
  for (const name of names) {
    const store = new JobStore(s3, constructOutputs(outputs, { stack: stackName, name })[stackOutputs.bucket] ?? '');
    for (const key of await store.list('')) await store.delete(key);
  }
  s3.destroy();
  await runCdk(['destroy', stackName, '--app', path.join(project, 'cdk.out'), '--force'], { connection });
  rmSync(project, { recursive: true });
  expect(await readOutputs()).toBeUndefined();
});

describe('the construct in an app of one’s own', () => {
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

  it('is found by the client by its stack and its name, and runs jobs in its workers', async () => {
    await using jobs = await connect({ ...at, stack: stackName, name: 'Jobs' });
    const items = Array.from({ length: 100 }, (_, n) => `item ${n}`);
    expect(await jobs.map('greet', items)).toEqual(items.map((item) => `hello ${item}`));
  });

  it('shares no tasks and no jobs with another one of its stack', async () => {
    await using others = await connect({ ...at, stack: `${stackName}/Others` });
    await expect(others.map('greet', ['one'])).rejects.toMatchObject({ code: 'UnknownTask' });
    expect(await others.map('say-after', [{ delayMs: 1, message: 'other' }])).toEqual(['other']);
    await expect(connect({ ...at, stack: stackName })).rejects.toThrow('expected --name to choose one of Jobs, Others');
  });

  it('is found by the command line, which leaves its stack alone', async () => {
    const flags = ['--target', 'localstack', '--endpoint', connection.endpoint, '--stack', stackName];
    const options = { cwd: project };
    const item = '{"delayMs":1,"message":"hello"}';
    const run = await runCli(['run', 'say-after', item, ...flags, '--name', 'Others'], options);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('"value":"hello"') });
    const destroy = await runCli(['destroy', ...flags, '--yes'], options);
    expect(destroy).toMatchObject({ code: 2, stderr: expect.stringContaining(`"cdk destroy ${stackName}"`) });
    expect(await readOutputs()).toBeDefined();
    expect(existsSync(path.join(project, '.fanloop'))).toBe(false);
  });
});
