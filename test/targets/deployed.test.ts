import { homedir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { hint } from '../../src/cli/view/hint.ts';
import { connectionOf } from '../../src/targets/deployed.ts';
import { explain } from '../../src/targets/explain.ts';
import { defaultStateFolder } from '../../src/targets/state-folder.ts';

describe('connectionOf', () => {
  it('reaches LocalStack with its own credentials, whatever the person has for AWS', () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIAREAL' };
    expect(connectionOf({ target: 'localstack' }, env)).toEqual({
      endpoint: 'http://127.0.0.1:4566',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    expect(connectionOf({ target: 'localstack', endpoint: 'http://127.0.0.1:4567' }, {})).toMatchObject({
      endpoint: 'http://127.0.0.1:4567',
      region: 'us-east-1',
    });
  });

  it('leaves AWS to the SDK', () => {
    expect(connectionOf({ target: 'aws' }, { AWS_REGION: 'eu-west-1' })).toEqual({});
  });
});

describe('explain', () => {
  const context = { target: 'localstack', endpoint: 'http://127.0.0.1:4566' } as const;

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
    expect(hint('watch', 'j', { target: 'aws', stack: 'Mine' })).toBe('fanloop watch j --target aws --stack Mine');
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
