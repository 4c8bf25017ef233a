import { Connections, type ISecurityGroup, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { FanloopProps } from './fanloop-props.ts';

/** Where the functions that run tasks are. */
export interface TaskNetwork {
  readonly connections: Connections;
  /** What a function in a VPC is told; undefined where there is none. */
  readonly placement?: {
    readonly vpc: IVpc;
    readonly vpcSubnets?: SubnetSelection;
    readonly securityGroups: ISecurityGroup[];
  };
}

/** One security group for all functions that run tasks, unless the props have some. @throws Error when a VPC's settings come without a VPC */
export function taskNetwork(scope: Construct, { vpc, vpcSubnets, securityGroups }: FanloopProps): TaskNetwork {
  if (vpc === undefined) {
    if (vpcSubnets !== undefined || securityGroups !== undefined)
      throw new Error('expected a vpc with vpcSubnets or securityGroups, got none; they say where in it the tasks are');
    return { connections: new Connections() };
  }
  const groups = securityGroups ?? [
    new SecurityGroup(scope, 'SecurityGroup', { vpc, description: 'Functions that run tasks of Fanloop' }),
  ];
  return {
    connections: new Connections({ securityGroups: [...groups] }),
    placement: { vpc, securityGroups: [...groups], ...(vpcSubnets && { vpcSubnets }) },
  };
}
