import type { Template } from 'aws-cdk-lib/assertions';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { stackTemplate } from '../support/stack-template.ts';

/** One statement of a role, in words: effect, actions, and the resources by logical id. */
interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** What each function may do, read from the policies and roles of the template. */
function permissions(from: Template): Readonly<Record<string, readonly string[]>> {
  const policies = Object.entries(from.findResources('AWS::IAM::Policy'));
  return Object.fromEntries(
    policies.map(([id, { Properties }]) => [
      id.replace(/ServiceRole.*/, ''),
      Properties.PolicyDocument.Statement.map(
        ({ Effect, Action, Resource }: Statement) =>
          `${Effect} ${[Action].flat().join(', ')} on ${[Resource].flat().map(inWords).join(', ')}`,
      ),
    ]),
  );
}

function inWords(resource: unknown): string {
  return JSON.stringify(resource)
    .replaceAll(/\{"Fn::GetAtt":\["(\w+?)[0-9A-F]{8}","Arn"\]\}/g, '"$1"')
    .replaceAll(/\{"Ref":"AWS::(\w+)"\}/g, '"$1"')
    .replaceAll(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_, parts: string) => parts.replaceAll('","', ''))
    .replaceAll('"', '');
}

const template = stackTemplate();

describe('permissions', () => {
  it('are exactly these', () => {
    expect(permissions(template)).toMatchSnapshot();
  });

  it('are roles of Lambda with its basic logging, and no more', () => {
    const roles = Object.values(template.findResources('AWS::IAM::Role'));
    expect(roles).toHaveLength(4);
    for (const { Properties } of roles) {
      expect(inWords(Properties.ManagedPolicyArns)).toBe(
        '[arn:Partition:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      );
      expect(Properties.Policies).toBeUndefined();
    }
  });

  const removesMarkers = 'Allow s3:DeleteObject* on Bucket/running/*';

  it.each(['FanOut', 'Worker', 'Tick', 'DeadLetter'])(
    'let %s delete no object but markers of jobs and use no wildcard for a service or a resource',
    (name) => {
      const statements = permissions(template)
        [name]?.filter((statement) => statement !== removesMarkers)
        .join('\n');
      expect(statements).toContain('s3:GetObject');
      expect(statements).not.toMatch(/Delete(Object|Bucket|Queue)|\b(s3|sqs|dynamodb):\*| on \*/);
    },
  );

  it('let the functions that run items use the tables that the settings name, by key and in batches', () => {
    const granted = permissions(
      stackTemplate((stack) => ({ table: false, tables: [Table.fromTableName(stack, 'Users', 'Users')] })),
    );
    const holders = Object.entries(granted).filter(([, statements]) => statements.join().includes('Users'));
    expect(holders.map(([name]) => name)).toEqual(['FanOut', 'Worker']);
    for (const [, statements] of holders) {
      expect(statements.filter((text) => text.includes('dynamodb'))).toEqual([
        'Allow dynamodb:BatchGetItem, dynamodb:BatchWriteItem, dynamodb:DescribeTable on arn:Partition:dynamodb:Region:AccountId:table/Users',
      ]);
    }
  });

  it('let the functions that read input read the buckets that the settings name, and write nothing there', () => {
    const granted = permissions(
      stackTemplate((stack) => ({
        inputBuckets: ['first-input', 'second-input'].map((name) => Bucket.fromBucketName(stack, name, name)),
      })),
    );
    for (const bucket of ['first-input', 'second-input']) {
      const holders = Object.entries(granted).filter(([, statements]) =>
        statements.some((text) => text.includes(bucket)),
      );
      expect(holders.map(([name]) => name)).toEqual(['FanOut', 'Worker', 'Tick']);
      for (const [, statements] of holders) {
        expect(statements.filter((text) => text.includes(bucket))).toEqual([
          `Allow s3:GetObject*, s3:GetBucket*, s3:List* on arn:Partition:s3:::${bucket}, arn:Partition:s3:::${bucket}/*`,
        ]);
      }
    }
  });
});
