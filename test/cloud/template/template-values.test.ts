import { describe, expect, it } from 'vitest';
import { resolve, type Scope } from '../../../src/cloud/template/template-values.ts';

const scope: Scope = {
  parameters: { 'AWS::Region': 'us-east-1', Version: '7' },
  resources: new Map([['Queue', { ref: 'http://queue', attributes: { Arn: 'arn:queue' } }]]),
};

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: CloudFormation's Fn::Sub is written so.
describe('values of a template', () => {
  it.each([
    ['Ref of a resource', { Ref: 'Queue' }, 'http://queue'],
    ['Ref of a parameter', { Ref: 'Version' }, '7'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:queue'],
    ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:queue'],
    ['Fn::Join', { 'Fn::Join': ['/', [{ Ref: 'Version' }, 'a', 1]] }, '7/a/1'],
    ['Fn::Sub', { 'Fn::Sub': '${AWS::Region}-${Queue.Arn}-${!literal}' }, 'us-east-1-arn:queue-${literal}'],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${own}-${Version}', { own: { Ref: 'Queue' } }] }, 'http://queue-7'],
    [
      'Fn::Select of Fn::Split',
      { 'Fn::Select': [1, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Queue', 'Arn'] }] }] },
      'queue',
    ],
    ['AWS::NoValue in an object', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
    ['AWS::NoValue in a list', [1, { Ref: 'AWS::NoValue' }, 2], [1, 2]],
    ['AWS::NoValue alone', { Ref: 'AWS::NoValue' }, undefined],
    ['plain values', { a: [1, 'x', true, null] }, { a: [1, 'x', true, null] }],
  ])('resolves %s', (_name, value, expected) => {
    expect(resolve(value, scope, 'Here')).toEqual(expected);
  });

  it.each([
    ['a function that is not known', { 'Fn::ImportValue': 'x' }, 'Here.a', 'got Fn::ImportValue'],
    ['a reference to nothing', { Ref: 'Nobody' }, 'Here.a', 'got a reference to Nobody'],
    ['an attribute that is not known', { 'Fn::GetAtt': ['Queue', 'Color'] }, 'Here.a', 'got Fn::GetAtt Queue.Color'],
    ['an element that is not there', { 'Fn::Select': [3, ['x']] }, 'Here.a', 'expected an element 3'],
  ])('stops at %s and says where', (_name, value, path, problem) => {
    const attempt = (): unknown => resolve({ a: value }, scope, 'Here');
    expect(attempt).toThrow(problem);
    expect(attempt).toThrow(path);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: above
