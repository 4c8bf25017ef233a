import type { Account } from '../../targets/account.ts';
import { type Deployment, deploymentOf } from '../../targets/target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { loadTarget } from '../../targets/targets.ts';
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
): Promise<{ readonly account: Account; readonly deployment: Deployment }> {
  const target = await loadTarget(options.target);
  const deployment = deploymentOf(target, verb);
  target.check(options);
  if (options.name !== undefined || options.stack?.includes('/') === true)
    throw new UsageError(
      'InvalidOptions',
      `"fanloop ${verb}" makes and removes whole stacks of its own; "cdk ${verb}" does it for a construct of an app of yours`,
    );
  return { account: await deployment.account(options), deployment };
}
