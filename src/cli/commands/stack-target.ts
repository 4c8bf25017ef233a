import type { Connection } from '../../aws/connection.ts';
import type { Account } from '../../targets/account.ts';
import { explain } from '../../targets/explain.ts';
import { checkTarget, type TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';

/** Options that `deploy` and `destroy` share. */
export interface StackOptions extends Omit<TargetOptions, 'workers'> {
  readonly yes?: boolean;
  readonly quiet?: boolean;
}

/** Whose account is meant, and the way there. @throws UsageError when there is none to deploy to */
export async function openAccount(
  options: StackOptions,
  verb: string,
): Promise<{ readonly connection: Connection; readonly account: Account }> {
  const { target } = options;
  if (target === 'embedded') {
    throw new UsageError(
      'InvalidOptions',
      `"fanloop ${verb}" needs --target localstack or aws; the embedded cloud starts with each command and needs no deployment`,
    );
  }
  checkTarget(options);
  const [{ connectionOf }, { readAccount }] = await Promise.all([
    import('../../targets/deployed.ts'),
    import('../../targets/account.ts'),
  ]);
  const connection = connectionOf(options);
  const account = await readAccount(connection).catch((cause: unknown) => {
    throw explain(cause, { target, endpoint: connection.endpoint });
  });
  return { connection, account };
}
