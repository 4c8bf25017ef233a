import { describe, expect, it } from 'vitest';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { stackDescription } from '../../src/runtime/stack-settings.ts';
import { constructOutputs, requireOwnStack, stackAndName } from '../../src/targets/find-construct.ts';

/** Outputs of a construct, each with a value that tells its own. */
const outputsOf = (prefix: string) =>
  Object.fromEntries(Object.values(stackOutputs).map((name) => [`${prefix}${name}`, `${prefix}.${name}`]));
const another = { ApiUrl: 'https://example.org', SomeBucketName: 'mine' };

describe('stackAndName', () => {
  it.each([
    [{}, { stackName: 'Fanloop', name: undefined }],
    [{ stack: 'Mine' }, { stackName: 'Mine', name: undefined }],
    [
      { stack: 'Mine', name: 'Jobs' },
      { stackName: 'Mine', name: 'Jobs' },
    ],
    [{ stack: 'Mine/Night/Jobs' }, { stackName: 'Mine', name: 'Night/Jobs' }],
  ])('reads %j', (options, expected) => {
    expect(stackAndName(options)).toEqual(expected);
  });
});

describe('constructOutputs', () => {
  it('finds the only construct of a stack without its name, under whatever name it has', () => {
    for (const prefix of ['', 'Jobs']) {
      const found = constructOutputs({ ...another, ...outputsOf(prefix) }, { stack: 'Mine' });
      expect(Object.keys(found).sort()).toEqual(Object.values(stackOutputs).sort());
      expect(found[stackOutputs.bucket]).toBe(`${prefix}.BucketName`);
    }
  });

  it('finds one of several by its id, with the ids above it where it has some', () => {
    const outputs = { ...outputsOf('Jobs'), ...outputsOf('NightJobs'), ...outputsOf('') };
    const bucket = (name: string) => constructOutputs(outputs, { stack: 'Mine', name })[stackOutputs.bucket];
    expect(bucket('Jobs')).toBe('Jobs.BucketName');
    expect(bucket('Night/Jobs')).toBe('NightJobs.BucketName');
    expect(constructOutputs(outputs, { stack: 'Mine' })[stackOutputs.bucket]).toBe('.BucketName');
  });

  it.each([
    [
      { stack: 'Mine' },
      outputsOf('One'),
      outputsOf('Two'),
      'expected --name to choose one of One, Two in the stack "Mine"',
    ],
    [
      { stack: 'Mine/Tow' },
      outputsOf('One'),
      outputsOf('Two'),
      'expected --name to be one of One, Two in the stack "Mine", got "Tow"',
    ],
    [{ stack: 'Mine' }, {}, {}, 'expected Fanloop in the stack "Mine", got a stack without it'],
  ])('says which there are when %j means none', (options, one, two, message) => {
    expect(() => constructOutputs({ ...another, ...one, ...two }, options)).toThrow(message);
  });
});

describe('requireOwnStack', () => {
  const stack = { StackName: 'Mine', CreationTime: undefined, StackStatus: undefined };

  it('takes a default stack, also one that was never finished', () => {
    requireOwnStack({ ...stack, Description: stackDescription }, 'deploy');
    requireOwnStack({ ...stack, Outputs: [{ OutputKey: stackOutputs.fanOutFunction }] }, 'destroy');
  });

  it('refuses the stack of an app of one’s own, though it has the construct', () => {
    const Outputs = [{ OutputKey: `Jobs${stackOutputs.fanOutFunction}` }];
    expect(() => requireOwnStack({ ...stack, Outputs }, 'destroy')).toThrow(
      '"cdk destroy Mine" in its project does it',
    );
    expect(() => requireOwnStack(stack, 'deploy')).toThrow('"cdk deploy Mine" in its project does it');
  });
});
