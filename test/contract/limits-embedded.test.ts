import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type CloudConnection, openEmbeddedCloud } from '../../src/cloud/host/cloud.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { embeddedStack } from '../../src/targets/embedded-stack.ts';
import { contractSettings } from './client.ts';
import { limitsSuite } from './limits.ts';

describe('limits on the embedded cloud', () => {
  let stateDir: string;
  let cloud: CloudConnection;
  beforeAll(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'fanloop-limits-'));
    cloud = await openEmbeddedCloud(
      { stateDir, settings: contractSettings },
      { synthesize: embeddedStack, clock: systemClock },
    );
  });
  afterAll(async () => {
    await cloud.close();
    await rm(stateDir, { recursive: true });
  });
  limitsSuite(() => ({ ...cloud, cli: ['--state', stateDir] }));
});
