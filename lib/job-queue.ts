import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type DeadLetterQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { limits } from '../src/limits.ts';

/** Options of {@link JobQueue}. */
export interface JobQueueProps {
  /** How long a received message is hidden. */
  readonly visibilitySeconds: number;
  /** @default SQS's own key */
  readonly encryptionKey: IKey | undefined;
  /** @default none */
  readonly deadLetterQueue?: DeadLetterQueue;
}

/** A queue that keeps its messages, encrypted, as long as SQS does. */
export class JobQueue extends Queue {
  constructor(scope: Construct, id: string, { visibilitySeconds, encryptionKey, deadLetterQueue }: JobQueueProps) {
    super(scope, id, {
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      retentionPeriod: Duration.days(limits.retentionDays),
      ...(encryptionKey === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }),
      ...(deadLetterQueue && { deadLetterQueue }),
    });
  }
}
