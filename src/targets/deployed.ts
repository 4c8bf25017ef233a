import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { UsageError } from '../task/errors.ts';
import { describeStack, outputsOf } from './deploy.ts';
import { explain } from './explain.ts';
import { openStackTarget } from './stack-clients.ts';
import { defaultStackName } from './synthesis.ts';
import type { Target } from './target.ts';
import type { TargetOptions } from './target-options.ts';

/** Where LocalStack answers unless `--endpoint` says otherwise. */
const localstackEndpoint = 'http://127.0.0.1:4566';

/**
 * Finds the deployed stack by its outputs.
 *
 * @throws UsageError `MissingStack`, `MissingCredentials`, or `Unreachable`, each with what to do
 */
export async function openDeployed(options: TargetOptions): Promise<Target> {
  const connection = connectionOf(options);
  const outputs = await readOutputs(connection, options);
  const target = { ...openStackTarget(connection, outputs), name: options.target, outlivesProcess: () => true };
  // LocalStack's event source mapping has one poller, which waits for the end of each invocation.
  return options.target === 'localstack' ? { ...target, workers: 1 } : target;
}

/** Endpoint, region, and credentials of a target; on AWS the SDK's own search finds them. */
export function connectionOf(
  options: Pick<TargetOptions, 'target' | 'endpoint'>,
  env: NodeJS.ProcessEnv = process.env,
): Connection {
  const { target, endpoint } = options;
  if (target !== 'localstack') return endpoint === undefined ? {} : { endpoint };
  return {
    endpoint: endpoint ?? localstackEndpoint,
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    // LocalStack takes any; `test` is the account 000000000000, whatever the person has for AWS.
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
}

/** A stack's outputs by name. @throws UsageError as {@link openDeployed} */
export async function readOutputs(
  connection: Connection,
  options: Pick<TargetOptions, 'target' | 'stack'>,
): Promise<Readonly<Record<string, string>>> {
  const { target, stack: stackName = defaultStackName } = options;
  const client = new CloudFormationClient(clientSettings(connection));
  try {
    const stack = await describeStack(client, stackName);
    if (stack !== undefined) return outputsOf(stack);
  } catch (cause) {
    throw explain(cause, { target, endpoint: connection.endpoint });
  } finally {
    client.destroy();
  }
  const place = stackName === defaultStackName ? '' : ` --stack ${stackName}`;
  throw new UsageError(
    'MissingStack',
    `expected the stack "${stackName}" on ${target}, got none; "fanloop deploy --target ${target}${place}" makes it`,
  );
}
