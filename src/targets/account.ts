import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Connection, clientSettings } from '../aws/connection.ts';

/** Whose account a deployment goes to. */
export interface Account {
  /** Twelve digits. */
  readonly id: string;
  readonly region: string;
  /** The user or role that asks. */
  readonly arn: string;
  /** Executions that the account allows at once, in all its functions. */
  readonly concurrentExecutions: number;
}

/** Asks whose account a connection reaches, and how many executions it allows. */
export async function readAccount(connection: Connection): Promise<Account> {
  const sts = new STSClient(clientSettings(connection));
  const lambda = new LambdaClient(clientSettings(connection));
  try {
    const [identity, settings, region] = await Promise.all([
      sts.send(new GetCallerIdentityCommand({})),
      lambda.send(new GetAccountSettingsCommand({})),
      sts.config.region(),
    ]);
    return {
      id: identity.Account ?? '',
      arn: identity.Arn ?? '',
      region,
      concurrentExecutions: settings.AccountLimit?.ConcurrentExecutions ?? 0,
    };
  } finally {
    sts.destroy();
    lambda.destroy();
  }
}
