import { homedir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hint } from '../../src/cli/view/hint.ts';
import { aws } from '../../src/targets/aws-target.ts';
import { embedded } from '../../src/targets/embedded.ts';
import { explain } from '../../src/targets/explain.ts';
import { localstack } from '../../src/targets/localstack-target.ts';
import { defaultStateFolder } from '../../src/targets/state-folder.ts';
import { deploymentOf } from '../../src/targets/target.ts';
import type { TargetOptions } from '../../src/targets/target-options.ts';
import { loadTarget } from '../../src/targets/targets.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('the connection of a target', () => {
  it('reaches LocalStack with its own credentials, whatever the person has for AWS', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAREAL');
    const { connection } = deploymentOf(localstack, 'deploy');
    expect(connection({})).toEqual({
      endpoint: 'http://127.0.0.1:4566',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    expect(connection({ endpoint: 'http://127.0.0.1:4567' })).toMatchObject({ endpoint: 'http://127.0.0.1:4567' });
  });

  it('leaves AWS to the SDK', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(deploymentOf(aws, 'deploy').connection({})).toEqual({});
  });

  it('is none where nothing is deployed', () => {
    expect(() => deploymentOf(embedded, 'destroy')).toThrow('"fanloop destroy" needs --target localstack or aws');
  });
});

describe('check', () => {
  it.each<[TargetOptions, string]>([
    [{ target: 'embedded', endpoint: 'http://127.0.0.1:4566' }, '--endpoint needs --target localstack or aws'],
    [{ target: 'aws', state: '/tmp/x' }, '--state needs --target embedded'],
    [{ target: 'embedded', stack: 'Mine/Jobs' }, 'the name of a construct needs --target localstack or aws'],
    [{ target: 'localstack', workers: 9 }, 'fanloop deploy --target localstack --workers 9'],
    [{ target: 'localstack', endpoint: 'localhost' }, 'expected --endpoint to be a URL'],
  ])('refuses %o', async (options, sentence) => {
    const target = await loadTarget(options.target);
    expect(() => target.check(options)).toThrow(sentence);
  });

  it.each<TargetOptions>([
    { target: 'embedded', state: 'x', workers: 9, stack: 'Other' },
    { target: 'localstack', endpoint: 'http://127.0.0.1:4567' },
    { target: 'aws', stack: 'Other' },
  ])('takes %o', async (options) => {
    const target = await loadTarget(options.target);
    expect(() => target.check(options)).not.toThrow();
  });
});

describe('explain', () => {
  const context = { endpoint: 'http://127.0.0.1:4566', mend: '"npm run localstack" starts it' } as const;

  it.each([
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'Unreachable', '"npm run localstack" starts it'],
    [Object.assign(new Error('late'), { name: 'TimeoutError' }), 'Unreachable', 'got TimeoutError'],
    [new Error('mismatched tags. Deserialization error: to see'), 'Unreachable', '--endpoint names it'],
    [Object.assign(new Error('old'), { name: 'ExpiredToken' }), 'MissingCredentials', 'got ExpiredToken'],
    [new Error('Region is missing'), 'MissingCredentials', 'set AWS_REGION'],
  ])('says what to do about %s', (error, code, sentence) => {
    expect(explain(error, context)).toMatchObject({ code, message: expect.stringContaining(sentence), cause: error });
  });

  it.each([new Error('AccessDenied'), 'text', undefined])('leaves %s as it is', (error) => {
    expect(explain(error, context)).toBe(error);
  });
});

describe('hint', () => {
  it('repeats the options that choose the target, quoted for a shell', () => {
    expect(hint('watch', 'j', { target: 'embedded' })).toBe('fanloop watch j');
    expect(hint('cancel', 'j', { target: 'embedded', state: "it's here", workers: 9 })).toBe(
      `fanloop cancel j --state 'it'\\''s here' --workers 9`,
    );
    expect(hint('watch', 'j', { target: 'aws', stack: 'Mine', name: 'Jobs' })).toBe(
      'fanloop watch j --target aws --stack Mine --name Jobs',
    );
  });
});

describe('defaultStateFolder', () => {
  it.each<[NodeJS.Platform, NodeJS.ProcessEnv, string]>([
    ['linux', { XDG_CACHE_HOME: '/var/cache/me' }, '/var/cache/me/fanloop'],
    ['linux', { XDG_CACHE_HOME: 'relative' }, path.join(homedir(), '.cache', 'fanloop')],
    ['linux', {}, path.join(homedir(), '.cache', 'fanloop')],
    ['darwin', {}, path.join(homedir(), 'Library', 'Caches', 'fanloop')],
    ['win32', { LOCALAPPDATA: '/Local' }, '/Local/fanloop'],
  ])('is in the cache folder of %s with %o', (platform, env, folder) => {
    expect(path.dirname(defaultStateFolder(env, platform))).toBe(folder);
  });
});
