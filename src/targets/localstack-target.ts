import { deployedTarget } from './deployed.ts';
import type { Target } from './target.ts';

/** Where LocalStack answers unless `--endpoint` says otherwise. */
const defaultEndpoint = 'http://127.0.0.1:4566';

/** LocalStack on this machine: a real deployment, without an account. */
export const localstack: Target = deployedTarget({
  name: 'localstack',
  // It may call this machine, and keeps nothing anyway; its DynamoDB is a download of its own that may not be there.
  defaults: { allowPrivateNetwork: true, removalPolicy: 'destroy', table: false },
  asksFirst: false,
  connection: ({ endpoint }, env = process.env) => ({
    endpoint: endpoint ?? defaultEndpoint,
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    // LocalStack takes any; `test` is the account 000000000000, whatever the person has for AWS.
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }),
  unreachable: '"npm run localstack" starts it',
  // Its event source mapping has one poller, which waits for the end of each invocation.
  workers: 1,
});
