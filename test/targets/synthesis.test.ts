import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StackSettings } from '../../src/runtime/stack-settings.ts';
import { type Synthesis, synthesize } from '../../src/targets/synthesis.ts';

const settings = { stackName: 'FanloopSynthesisTest', workers: 7, leaseSeconds: 11, maxReceiveCount: 3 } as const;
let synthesis: Synthesis;
let cache: string;

/** The part of a template that these tests read. */
interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      { readonly Type: string; readonly Metadata?: Readonly<Record<string, string>>; readonly Properties?: object }
    >
  >;
}

const readTemplate = async (): Promise<Template> => JSON.parse(await readFile(synthesis.templatePath, 'utf8'));

beforeAll(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'fanloop-synthesis-'));
  synthesis = await synthesize(settings, cache);
});
afterAll(() => rm(cache, { recursive: true }));

describe('synthesize', () => {
  it('puts the bundle of each function where the template says', async () => {
    const { Resources } = await readTemplate();
    const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions).toHaveLength(4);
    for (const { Metadata } of functions) {
      const asset = path.join(synthesis.outDir, Metadata?.['aws:asset:path'] ?? 'none');
      expect(await readdir(asset)).toEqual(expect.arrayContaining(['worker.mjs', 'worker.mjs.map', 'tasks.mjs']));
    }
  });

  it('makes a template that needs no parameter, no condition, and no metadata of the CDK', async () => {
    expect(Object.keys(await readTemplate()).sort()).toEqual(['Description', 'Outputs', 'Resources']);
  });

  it('carries the settings into the stack', async () => {
    const text = JSON.stringify((await readTemplate()).Resources);
    expect(synthesis.stackName).toBe('FanloopSynthesisTest');
    expect(text).toContain('"FANLOOP_WORKERS":"7"');
    expect(text).toContain('"FANLOOP_LEASE_SECONDS":"11"');
    expect(text).toContain('"maxReceiveCount":3');
  });

  it('keeps two outputs at most', async () => {
    await synthesize(settings, cache);
    synthesis = await synthesize(settings, cache);
    expect(await readdir(path.join(cache, 'synth'))).toHaveLength(2);
    expect(await readdir(synthesis.outDir)).toContain('FanloopSynthesisTest.template.json');
  });

  it.each<[StackSettings, string]>([
    [{ workers: 1 }, 'expected the setting workers to be a whole number from 2 to 1000, got 1'],
    [{ stackName: 'no spaces' }, 'expected the setting stackName to be letters, digits, and dashes'],
  ])('refuses %j in one sentence', async (wrong, message) => {
    await expect(synthesize(wrong, cache)).rejects.toMatchObject({
      name: 'InvalidOptions',
      message: expect.stringContaining(message),
    });
  });
});
