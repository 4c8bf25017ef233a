import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { filesOf, projectRoot } from './guide.ts';

it('the stack of docs/cdk.md synthesizes', async () => {
  const code = filesOf('docs/cdk.md').get('lib/my-stack.ts');
  // Packages are found from a folder within the project.
  const home = path.join(projectRoot, 'node_modules', '.fanloop');
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(path.join(home, 'docs-test-'));
  try {
    const face = path.join(projectRoot, 'lib', 'index.ts');
    const outfile = path.join(folder, 'my-stack.mjs');
    buildSync({
      stdin: {
        contents: (code ?? '').replace("tasks: 'tasks'", "tasks: 'test/contract/tasks'"),
        loader: 'ts',
        resolveDir: folder,
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      alias: { 'fanloop/cdk': face },
      external: [face],
    });
    const { MyStack } = (await import(outfile)) as { MyStack: new (app: App, id: string) => Stack };
    const template = Template.fromStack(new MyStack(new App({ outdir: path.join(folder, 'cdk.out') }), 'MyStack'));
    template.resourceCountIs('AWS::Lambda::Function', 5);
    template.resourceCountIs('AWS::Events::Rule', 1);
    template.resourceCountIs('AWS::CloudWatch::Alarm', 3);
    expect(Object.keys(template.findOutputs('*'))).toContain('JobsBucketName');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
