import type { TestProject } from 'vitest/node';
import { deployStack } from '../../src/targets/deploy.ts';
import { destroyStack } from '../../src/targets/destroy.ts';
import { startLocalStack } from '../../src/targets/localstack/start.ts';
import { contractSettings } from '../contract/client.ts';
import { localStackAt } from './localstack.ts';

/** A name of its own, so that a LocalStack that somebody uses already can be used here too. */
const stackName = 'FanloopContract';

/** Starts LocalStack and deploys the stack before the suite; removes both after it. LocalStack that cannot start fails the suite. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const since = stopwatch();
  const localStack = await startLocalStack({ onProgress: say });
  const connection = localStackAt(localStack.url);
  say(`LocalStack ${localStack.version} (${localStack.how}) is ready on ${localStack.url} ${since()}`);
  try {
    const { outputs } = await deployStack({ settings: { ...contractSettings, stackName, table: false }, connection });
    say(`the stack ${stackName} is deployed ${since()}`);
    project.provide('localStack', { ...connection, outputs });
    project.provide('localStackStack', stackName);
  } catch (error) {
    await localStack.stop();
    throw error;
  }
  return async () => {
    const sinceEnd = stopwatch();
    try {
      await destroyStack({ stackName, connection });
    } finally {
      await localStack.stop();
    }
    say(`destroyed and stopped ${sinceEnd()}`);
  };
}

function stopwatch(): () => string {
  let last = performance.now();
  return () => {
    const seconds = (performance.now() - last) / 1_000;
    last = performance.now();
    return `(${seconds.toFixed(1)} s)`;
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
