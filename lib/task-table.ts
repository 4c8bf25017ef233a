import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { ownTableKey } from '../src/runtime/environment.ts';

/** Options of {@link TaskTable}. */
export interface TaskTableProps {
  /** What happens to the table when the stack is removed. */
  readonly removalPolicy: RemovalPolicy;
}

/** The table that tasks use where an item names no other; no job of Fanloop itself needs it. */
export class TaskTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: TaskTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: ownTableKey.partition, type: AttributeType.STRING },
      sortKey: { name: ownTableKey.sort, type: AttributeType.STRING },
      // A table that nobody uses costs nothing, and a job's burst needs no forecast.
      billingMode: BillingMode.PAY_PER_REQUEST,
      // What is worth keeping is worth restoring: a job may overwrite many items by mistake.
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: props.removalPolicy !== RemovalPolicy.DESTROY,
      },
      removalPolicy: props.removalPolicy,
    });
  }
}
