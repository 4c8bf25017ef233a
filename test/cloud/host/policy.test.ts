import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows } from '../../../src/cloud/host/policy.ts';

const bucket = 'arn:aws:s3:::data';
const queue = 'arn:aws:sqs:us-east-1:000000000000:work';

describe('allows', () => {
  it.each([
    {
      title: 'nothing without statements',
      statements: [],
      action: 's3:GetObject',
      resource: `${bucket}/a`,
      allowed: false,
    },
    {
      title: 'the very action and resource',
      statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/a` }],
      action: 's3:GetObject',
      resource: `${bucket}/a`,
      allowed: true,
    },
    {
      title: 'no other action',
      statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/a` }],
      action: 's3:PutObject',
      resource: `${bucket}/a`,
      allowed: false,
    },
    {
      title: 'no other resource',
      statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/a` }],
      action: 's3:GetObject',
      resource: `${bucket}/b`,
      allowed: false,
    },
    {
      title: 'one of a list',
      statements: [{ Effect: 'Allow', Action: ['sqs:SendMessage', 'sqs:GetQueueUrl'], Resource: ['x', queue] }],
      action: 'sqs:GetQueueUrl',
      resource: queue,
      allowed: true,
    },
    {
      title: 'actions by prefix',
      statements: [
        { Effect: 'Allow', Action: ['s3:GetObject*', 's3:GetBucket*', 's3:List*'], Resource: [bucket, `${bucket}/*`] },
      ],
      action: 's3:ListBucket',
      resource: bucket,
      allowed: true,
    },
    {
      title: 'not what only begins like the pattern',
      statements: [{ Effect: 'Allow', Action: 's3:List', Resource: '*' }],
      action: 's3:ListBucket',
      resource: bucket,
      allowed: false,
    },
    {
      title: 'actions in any case',
      statements: [{ Effect: 'Allow', Action: 'S3:getobject', Resource: '*' }],
      action: 's3:GetObject',
      resource: `${bucket}/a`,
      allowed: true,
    },
    {
      title: 'resources only in their case',
      statements: [{ Effect: 'Allow', Action: '*', Resource: `${bucket}/A` }],
      action: 's3:GetObject',
      resource: `${bucket}/a`,
      allowed: false,
    },
    {
      title: 'a star over slashes',
      statements: [{ Effect: 'Allow', Action: 's3:*', Resource: `${bucket}/jobs/*/end` }],
      action: 's3:GetObject',
      resource: `${bucket}/jobs/1/2/end`,
      allowed: true,
    },
    {
      title: 'a question mark for one character',
      statements: [{ Effect: 'Allow', Action: 's3:?etObject', Resource: `${bucket}/?` }],
      action: 's3:GetObject',
      resource: `${bucket}/a`,
      allowed: true,
    },
    {
      title: 'no question mark for none',
      statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/?` }],
      action: 's3:GetObject',
      resource: `${bucket}/`,
      allowed: false,
    },
    {
      title: 'objects do not allow their bucket',
      statements: [{ Effect: 'Allow', Action: 's3:*', Resource: `${bucket}/*` }],
      action: 's3:ListBucket',
      resource: bucket,
      allowed: false,
    },
    {
      title: 'a denial over a grant, in any order',
      statements: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Effect: 'Deny', Action: 's3:DeleteObject', Resource: `${bucket}/*` },
      ],
      action: 's3:DeleteObject',
      resource: `${bucket}/a`,
      allowed: false,
    },
    {
      title: 'what a denial does not name',
      statements: [
        { Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' },
        { Effect: 'Allow', Action: '*', Resource: '*' },
      ],
      action: 's3:PutObject',
      resource: `${bucket}/a`,
      allowed: true,
    },
    {
      title: 'all but NotAction',
      statements: [{ Effect: 'Allow', NotAction: 's3:Delete*', Resource: '*' }],
      action: 's3:PutObject',
      resource: `${bucket}/a`,
      allowed: true,
    },
    {
      title: 'not NotAction itself',
      statements: [{ Effect: 'Allow', NotAction: 's3:Delete*', Resource: '*' }],
      action: 's3:DeleteObject',
      resource: `${bucket}/a`,
      allowed: false,
    },
    {
      title: 'not NotResource itself',
      statements: [{ Effect: 'Allow', Action: '*', NotResource: bucket }],
      action: 's3:ListBucket',
      resource: bucket,
      allowed: false,
    },
    {
      title: 'nothing by a grant with a condition',
      statements: [
        { Effect: 'Allow', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
      ],
      action: 's3:GetObject',
      resource: bucket,
      allowed: false,
    },
    {
      title: 'characters of regular expressions as they are',
      statements: [{ Effect: 'Allow', Action: '*', Resource: `${bucket}/a.c+(d)` }],
      action: 's3:GetObject',
      resource: `${bucket}/abc+(d)`,
      allowed: false,
    },
  ])('allows $title', ({ statements, action, resource, allowed }) => {
    expect(allows(statements, action, resource)).toBe(allowed);
  });

  it('refuses a statement whose resource is not resolved', () => {
    const statements = [{ Effect: 'Allow', Action: 's3:*', Resource: { Ref: 'Bucket' } }];
    expect(() => allows(statements, 's3:GetObject', bucket)).toThrow(
      /expected Resource of a policy statement to be texts, got \{"Ref":"Bucket"\}/,
    );
  });

  it('matches patterns as a regular expression with the same meaning does', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', ':', '/', '*', '?') });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b', ':', '/') }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`);
        expect(allows([{ Effect: 'Allow', Action: '*', Resource: pattern }], 's3:GetObject', text)).toBe(
          expression.test(text),
        );
      }),
    );
  });

  it('answers a pattern of many stars at once', () => {
    const statements = [{ Effect: 'Allow', Action: '*', Resource: `${'a*'.repeat(200)}b` }];
    expect(allows(statements, 's3:GetObject', 'a'.repeat(1_000))).toBe(false);
  });
});
