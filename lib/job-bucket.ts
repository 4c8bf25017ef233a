import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Options of {@link JobBucket}. */
export interface JobBucketProps {
  /** What happens to the jobs when the stack is removed. */
  readonly removalPolicy: RemovalPolicy;
  /** @default S3's own key */
  readonly encryptionKey: IKey | undefined;
  /** @default jobs are kept */
  readonly jobExpiration: Duration | undefined;
}

/** The bucket that holds each job as a folder. */
export class JobBucket extends Bucket {
  constructor(scope: Construct, id: string, { removalPolicy, encryptionKey, jobExpiration }: JobBucketProps) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      ...(encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : // One call to KMS for many objects, where each would be billed.
          { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
      enforceSSL: true,
      // Parts of an upload that was broken off are billed and never listed.
      lifecycleRules: [
        { id: 'AbortIncompleteUploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...(jobExpiration === undefined
          ? []
          : // Objects that are nobody's job, such as lists of input, stay.
            ['jobs/', 'tokens/', 'running/'].map((prefix) => ({ prefix, expiration: jobExpiration }))),
      ],
      removalPolicy,
    });
  }
}
