import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** Options of {@link JobBucket}. */
export interface JobBucketProps {
  /** What happens to the jobs when the stack is removed. */
  readonly removalPolicy: RemovalPolicy;
}

/** The bucket that holds each job as a folder. */
export class JobBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: JobBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      // Parts of an upload that was broken off are billed and never listed.
      lifecycleRules: [{ id: 'AbortIncompleteUploads', abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: props.removalPolicy,
    });
  }
}
