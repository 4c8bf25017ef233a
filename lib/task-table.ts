import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type CfnTable, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { ownTableKey } from '../src/runtime/environment.ts';

/** Options of {@link TaskTable}. */
export interface TaskTableProps {
  /** What happens to the table when the stack is removed. */
  readonly removalPolicy: RemovalPolicy;
  /** @default DynamoDB's own key */
  readonly encryptionKey: IKey | undefined;
}

/** The table that tasks use where an item names no other; no job of Fanloop itself needs it. */
export class TaskTable extends Table {
  constructor(scope: Construct, id: string, { removalPolicy, encryptionKey }: TaskTableProps) {
    super(scope, id, {
      partitionKey: { name: ownTableKey.partition, type: AttributeType.STRING },
      sortKey: { name: ownTableKey.sort, type: AttributeType.STRING },
      // A table that nobody uses costs nothing, and a job's burst needs no forecast.
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...(encryptionKey !== undefined && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
      removalPolicy,
    });
    // What is worth keeping is worth restoring: a job may overwrite many items by mistake.
    // The property's name differs between versions of the library, the resource's own does not.
    const resource = this.node.defaultChild as CfnTable;
    resource.pointInTimeRecoverySpecification = { pointInTimeRecoveryEnabled: removalPolicy !== RemovalPolicy.DESTROY };
  }
}
