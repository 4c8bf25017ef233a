import { deployedTarget } from './deployed.ts';
import type { Target } from './target.ts';

/** The person's own account; region and credentials are found as the AWS CLI finds them. */
export const aws: Target = deployedTarget({
  name: 'aws',
  defaults: {},
  asksFirst: true,
  connection: ({ endpoint }) => (endpoint === undefined ? {} : { endpoint }),
  unreachable: 'look at your network and AWS_REGION',
});
