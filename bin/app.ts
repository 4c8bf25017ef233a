import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, DefaultStackSynthesizer, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import {
  ANALYTICS_REPORTING_ENABLED_CONTEXT,
  ASSET_RESOURCE_METADATA_ENABLED_CONTEXT,
  PATH_METADATA_ENABLE_CONTEXT,
} from 'aws-cdk-lib/cx-api';
import { bundleFunctions } from '../lib/bundle.ts';
import { FanloopStack } from '../lib/fanloop-stack.ts';
import { parseSettings } from '../lib/settings.ts';

const root = path.dirname(import.meta.dirname);
const app = new App({
  // The same template whether the CDK CLI or `fanloop` runs this file: the folder of each function's code stands in it, and nothing else of the CLI's wishes.
  postCliContext: {
    [ASSET_RESOURCE_METADATA_ENABLED_CONTEXT]: true,
    [PATH_METADATA_ENABLE_CONTEXT]: false,
    [ANALYTICS_REPORTING_ENABLED_CONTEXT]: false,
  },
  // The CLI learns the bootstrap version that it needs from the assets' manifest, so the template has no parameter for it.
  // The library's own class misses its interface only by an optional property under exactOptionalPropertyTypes.
  defaultStackSynthesizer: new DefaultStackSynthesizer({
    generateBootstrapVersionRule: false,
  }) as IReusableStackSynthesizer,
});

const bundleDir = await mkdtemp(path.join(tmpdir(), 'fanloop-bundles-'));
try {
  const settings = await mendable(() => parseSettings((name) => app.node.tryGetContext(name)));
  const bundles =
    settings && (await mendable(() => bundleFunctions({ root, outDir: bundleDir, taskFolders: settings.taskFolders })));
  if (settings !== undefined && bundles !== undefined) {
    new FanloopStack(app, settings.stackName, {
      ...settings,
      bundles,
      description: 'Fanloop: runs one async task over many items',
    });
    app.synth();
  }
} finally {
  await rm(bundleDir, { recursive: true });
}

/** A wrong setting, or a task that cannot be bundled, is the caller's to mend: its message without a stack trace, and exit code 2. */
async function mendable<Value>(step: () => Value | Promise<Value>): Promise<Value | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}
