import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../src/limits.ts';

/** Options of {@link JobQueues}. */
export interface JobQueuesProps {
  /** Deliveries of a message before it is a dead letter. */
  readonly maxReceiveCount: number;
}

/** The queue of chunks, the queue of ticks, and the one queue for the dead letters of both. */
export class JobQueues extends Construct {
  readonly work: Queue;
  readonly tick: Queue;
  readonly deadLetter: Queue;

  constructor(scope: Construct, id: string, props: JobQueuesProps) {
    super(scope, id);
    this.deadLetter = this.queue('DeadLetter', limits.deadLetterQueueVisibilitySeconds);
    const deadLetterQueue = { queue: this.deadLetter, maxReceiveCount: props.maxReceiveCount };
    this.work = this.queue('Work', limits.workQueueVisibilitySeconds, deadLetterQueue);
    this.tick = this.queue('Tick', limits.tickQueueVisibilitySeconds, deadLetterQueue);
  }

  private queue(
    id: string,
    visibilitySeconds: number,
    deadLetterQueue?: { queue: Queue; maxReceiveCount: number },
  ): Queue {
    return new Queue(this, id, {
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      retentionPeriod: Duration.days(limits.retentionDays),
      encryption: QueueEncryption.SQS_MANAGED,
      ...(deadLetterQueue && { deadLetterQueue }),
    });
  }
}
