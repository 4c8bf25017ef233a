import {
  type AddToPrincipalPolicyResult,
  type IPrincipal,
  type IRole,
  type PolicyStatement,
  PrincipalPolicyFragment,
} from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { DependencyGroup } from 'constructs';

/** All functions that run items as one principal: what it is granted, each of them may do. */
export function taskPrincipal(functions: readonly IFunction[]): IPrincipal {
  const roles = functions.map(({ role }) => role).filter((role) => role !== undefined);
  const principal: IPrincipal = {
    assumeRoleAction: 'sts:AssumeRole',
    policyFragment: new PrincipalPolicyFragment({ AWS: roles.map(({ roleArn }) => roleArn) }),
    get grantPrincipal() {
      return principal;
    },
    addToPrincipalPolicy: (statement) => addToEach(roles, statement),
  };
  const account = roles[0]?.principalAccount;
  // Grants compare accounts to know whether a resource has to allow it too.
  return account === undefined ? principal : Object.assign(principal, { principalAccount: account });
}

function addToEach(roles: readonly IRole[], statement: PolicyStatement): AddToPrincipalPolicyResult {
  const added = roles.map((role) => role.addToPrincipalPolicy(statement.copy()));
  const policies = added.map(({ policyDependable }) => policyDependable).filter((policy) => policy !== undefined);
  return {
    statementAdded: added.every(({ statementAdded }) => statementAdded),
    policyDependable: new DependencyGroup(...policies),
  };
}
