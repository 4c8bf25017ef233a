import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { propsOf } from '../../lib/settings.ts';
import { parseSettings } from '../../src/runtime/stack-settings.ts';

const parse = (context: Readonly<Record<string, unknown>>) => parseSettings((name) => context[name]);

describe('parseSettings', () => {
  it('reads nothing where nothing is chosen', () => {
    expect(parse({})).toEqual({});
  });

  it('reads the text of the command line and the JSON of files alike', () => {
    const text = {
      workers: '20',
      leaseSeconds: '10',
      maxReceiveCount: '3',
      allowPrivateNetwork: 'true',
      inputBuckets: 'one-bucket,two',
      table: 'false',
      otherTables: 'Users,Orders',
    };
    const json = {
      workers: 20,
      leaseSeconds: 10,
      maxReceiveCount: 3,
      allowPrivateNetwork: true,
      inputBuckets: ['one-bucket', 'two'],
      table: false,
      otherTables: ['Users', 'Orders'],
    };
    expect(parse({ ...text, stackName: 'Mine', removalPolicy: 'destroy' })).toEqual(
      parse({ ...json, stackName: 'Mine', removalPolicy: 'destroy' }),
    );
  });

  it.each([
    ['workers', 1, 'expected the setting workers to be a whole number from 2 to 1000, got 1'],
    ['workers', '', 'expected the setting workers to be a whole number from 2 to 1000, got ""'],
    ['workers', 'many', 'expected the setting workers to be a whole number from 2 to 1000, got "many"'],
    ['workers', 2.5, 'expected the setting workers to be a whole number from 2 to 1000, got 2.5'],
    ['leaseSeconds', 301, 'expected the setting leaseSeconds to be a whole number from 1 to 300, got 301'],
    ['maxReceiveCount', 1, 'expected the setting maxReceiveCount to be a whole number from 2 to 1000, got 1'],
    ['allowPrivateNetwork', 'yes', 'expected the setting allowPrivateNetwork to be true or false, got "yes"'],
    [
      'stackName',
      '1st',
      'expected the setting stackName to be letters, digits, and dashes, a letter first, at most 128, got "1st"',
    ],
    ['removalPolicy', 'snapshot', 'expected the setting removalPolicy to be retain or destroy, got "snapshot"'],
    ['inputBuckets', 'Not_A_Bucket', 'expected the setting inputBuckets to be names of S3 buckets, got "Not_A_Bucket"'],
    ['table', 'maybe', 'expected the setting table to be true or false, got "maybe"'],
    ['otherTables', 'a b', 'expected the setting otherTables to be names of DynamoDB tables, got "a b"'],
    ['inputBuckets', [7], 'expected the setting inputBuckets to be names of S3 buckets, got 7'],
  ])('refuses %s = %j in one sentence', (name, value, message) => {
    expect(() => parse({ [name]: value })).toThrow(message);
  });
});

describe('propsOf', () => {
  it('says every setting in types of the CDK, and finds buckets and tables by name', () => {
    const { inputBuckets, tables, ...others } = propsOf(new Stack(), {
      workers: 20,
      leaseSeconds: 10,
      maxReceiveCount: 3,
      allowPrivateNetwork: true,
      inputBuckets: ['one-bucket'],
      table: false,
      otherTables: ['Users'],
      tasks: 'more',
      removalPolicy: 'destroy',
    });
    expect(others).toEqual({
      workers: 20,
      lease: Duration.seconds(10),
      maxReceiveCount: 3,
      allowPrivateNetwork: true,
      table: false,
      tasks: 'more',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    expect(inputBuckets?.map(({ bucketName }) => bucketName)).toEqual(['one-bucket']);
    expect(tables?.map(({ tableName }) => tableName)).toEqual(['Users']);
  });

  it('leaves what is not chosen to the construct', () => {
    expect(propsOf(new Stack(), {})).toEqual({ inputBuckets: [], tables: [] });
  });
});
