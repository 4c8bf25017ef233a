import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';

/** Where a job's state is, and what moves it. */
export interface JobState {
  readonly bucket: Bucket;
  readonly workQueue: Queue;
  readonly tickQueue: Queue;
  readonly deadLetterQueue: Queue;
  readonly table: Table | undefined;
}

/** All that jobs are made of. */
export interface JobParts extends JobState {
  readonly fanOutFunction: LambdaFunction;
  readonly workerFunction: LambdaFunction;
  readonly tickFunction: LambdaFunction;
  readonly deadLetterFunction: LambdaFunction;
}
