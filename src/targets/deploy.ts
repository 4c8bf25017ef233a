import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { defaultStackName, type StackSettings } from '../runtime/stack-settings.ts';
import { type Account, readAccount } from './account.ts';
import { runCdk } from './cdk.ts';
import { requireOwnStack } from './find-construct.ts';
import { synthesize } from './synthesis.ts';

/** Options of {@link deployStack}. */
export interface DeployOptions {
  readonly settings: StackSettings;
  /** Where and as whom; absent settings are found as the AWS CLI finds them. */
  readonly connection: Connection;
  /** The account, where the caller has asked for it already. @default asked for */
  readonly account?: Account;
  readonly signal?: AbortSignal;
  /** Told each line of progress. */
  readonly onProgress?: (line: string) => void;
}

/** A stack that stands. */
export interface Deployment {
  readonly stackName: string;
  /** False when the same stack stood there before. */
  readonly changed: boolean;
  /** The stack's outputs by the names of `src/runtime/environment.ts`. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** The stack that the CDK's bootstrap leaves in an account: a bucket and roles for deployments. */
const toolkitStack = 'CDKToolkit';

/**
 * Synthesizes the stack and deploys it with the CDK; bootstraps the account and region first where that was never done.
 *
 * @throws UsageError when a setting is out of range. @throws Error with the end of the CDK's output when it fails.
 */
export async function deployStack(options: DeployOptions): Promise<Deployment> {
  const { settings, connection, onProgress, signal } = options;
  const client = new CloudFormationClient(clientSettings(connection));
  try {
    const { stackName = defaultStackName } = settings;
    const before = await describeStack(client, stackName);
    if (before !== undefined) requireOwnStack(before, 'deploy');
    const [{ outDir }, toolkit] = await Promise.all([synthesize(settings), describeStack(client, toolkitStack)]);
    if (toolkit === undefined) {
      const { id, region } = options.account ?? (await readAccount(connection));
      onProgress?.(`preparing account ${id} in ${region} for the CDK (once)`);
      // An app would be synthesized again; the bootstrap's own template is all that it needs.
      await runCdk(['bootstrap', `aws://${id}/${region}`, '--app', outDir], options);
    }
    signal?.throwIfAborted();
    await runCdk(
      ['deploy', stackName, '--app', outDir, '--require-approval', 'never', '--progress', 'events'],
      options,
    );
    const after = await describeStack(client, stackName);
    if (after === undefined) throw new Error(`expected the stack "${stackName}" after its deployment, got none`);
    return {
      stackName,
      changed: before === undefined || versionOf(after) !== versionOf(before),
      outputs: outputsOf(after),
    };
  } finally {
    client.destroy();
  }
}

/** Reads a stack; undefined where none is. */
export async function describeStack(client: CloudFormationClient, stackName: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Stacks?.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE');
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError' && error.message.includes('does not exist'))
      return undefined;
    throw error;
  }
}

/** A stack's outputs by name. */
export function outputsOf(stack: Stack): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
}

/** CloudFormation tells an update by its time, and LocalStack only by its change set. */
const versionOf = ({ ChangeSetId, LastUpdatedTime }: Stack): string => `${ChangeSetId} ${LastUpdatedTime?.getTime()}`;
