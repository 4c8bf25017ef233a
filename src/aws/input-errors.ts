import { UsageError } from '../task/errors.ts';

/** What an S3 client failed with, and the status of the answer, where there was one. */
interface Failure {
  readonly status: number | undefined;
  readonly cause: unknown;
}

interface Address {
  readonly bucket: string;
  readonly key: string;
}

/** Why an input cannot be looked at, where the answer tells it; else the failure itself. */
export function inputRefused({ bucket, key }: Address, { status, cause }: Failure): unknown {
  if (status !== 403 && status !== 404) return cause;
  return new UsageError(
    'InvalidInput',
    `expected to read s3://${bucket}/${key}, got ${status}; check the name, and deploy with the bucket among inputBuckets`,
    { cause },
  );
}

/** Why an input cannot be read as the object that it was, where the answer tells it; else the failure itself. */
export function inputChanged({ bucket, key }: Address, { status, cause }: Failure): unknown {
  if (status !== 412 && status !== 404) return cause;
  return new UsageError(
    'InvalidInput',
    `expected s3://${bucket}/${key} as it was when the job began, got another object or none; start the job again`,
    { cause },
  );
}
