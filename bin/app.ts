import { App, DefaultStackSynthesizer, type IReusableStackSynthesizer, Stack } from 'aws-cdk-lib';
import {
  ANALYTICS_REPORTING_ENABLED_CONTEXT,
  ASSET_RESOURCE_METADATA_ENABLED_CONTEXT,
  PATH_METADATA_ENABLE_CONTEXT,
} from 'aws-cdk-lib/cx-api';
import { Fanloop } from '../lib/fanloop.ts';
import { propsOf } from '../lib/settings.ts';
import { defaultStackName, parseSettings, stackDescription } from '../src/runtime/stack-settings.ts';

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

try {
  const settings = parseSettings((name) => app.node.tryGetContext(name));
  const stack = new Stack(app, settings.stackName ?? defaultStackName, {
    description: stackDescription,
  });
  new Fanloop(stack, 'Default', propsOf(stack, settings));
  app.synth();
} catch (error) {
  // A wrong setting, or a task that cannot be bundled, is the caller's to mend: its message without a stack trace, and exit code 2.
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
