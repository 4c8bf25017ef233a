import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { defaultStackName, type StackSettings } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';
import { readAccount } from './account.ts';
import { deployStack, describeStack, outputsOf } from './deploy.ts';
import { explain } from './explain.ts';
import { constructOutputs, stackAndName } from './find-construct.ts';
import { readCloudWatchLogs } from './logs/cloud-watch-logs.ts';
import { connectStack } from './stack-clients.ts';
import type { Target } from './target.ts';
import type { TargetName, TargetOptions } from './target-options.ts';

/** What one cloud that keeps its stacks differs in from another. */
export interface DeployedTarget {
  readonly name: TargetName;
  /** Settings of a stack that differ here from its own defaults. */
  readonly defaults: StackSettings;
  readonly asksFirst: boolean;
  /** Endpoint, region, and credentials; absent ones are found as the AWS CLI finds them. */
  connection(options: Pick<TargetOptions, 'endpoint'>, env?: NodeJS.ProcessEnv): Connection;
  /** What a person can do when nobody answers. */
  readonly unreachable: string;
  /** Workers that really run at once. @default as the stack says */
  readonly workers?: number;
}

/** A target whose stack was deployed before and is found by its outputs. */
export function deployedTarget(place: DeployedTarget): Target {
  const outputs = (options: TargetOptions) => readOutputs(place, options);
  return {
    name: place.name,
    check: (options) => checkDeployed(options),
    connect: async (options) => {
      const stack = connectStack(place.connection(options), await outputs(options), { outlivesProcess: () => true });
      return place.workers === undefined ? stack : { ...stack, workers: place.workers };
    },
    logs: async (options, jobId) => readCloudWatchLogs(place.connection(options), await outputs(options), jobId),
    deployment: {
      connection: place.connection,
      defaults: place.defaults,
      asksFirst: place.asksFirst,
      account: (options) =>
        readAccount(place.connection(options)).catch((cause: unknown) => {
          throw explainAt(place, options, cause);
        }),
      deploy: (options, { settings, ...how }) =>
        deployStack({
          ...how,
          settings: { ...place.defaults, ...settings },
          connection: place.connection(options),
        }),
      destroy: async (options, how) => {
        const { destroyStack } = await import('./destroy.ts');
        return destroyStack({ ...how, connection: place.connection(options) });
      },
    },
  };
}

function checkDeployed({ target, state, workers, endpoint }: TargetOptions): void {
  const problem =
    state !== undefined
      ? `--state needs --target embedded; on ${target} a job is kept in the stack's bucket`
      : workers !== undefined
        ? `--workers is a property of the deployed stack: "fanloop deploy --target ${target} --workers ${workers}" changes it`
        : endpoint !== undefined && !URL.canParse(endpoint)
          ? `expected --endpoint to be a URL as http://127.0.0.1:4566, got "${endpoint}"`
          : undefined;
  if (problem !== undefined) throw new UsageError('InvalidOptions', problem);
}

function explainAt(place: DeployedTarget, options: Pick<TargetOptions, 'endpoint'>, cause: unknown): unknown {
  return explain(cause, { endpoint: place.connection(options).endpoint, mend: place.unreachable });
}

/** A stack's outputs by name. @throws UsageError `MissingStack`, `MissingCredentials`, or `Unreachable`, each with what to do */
async function readOutputs(place: DeployedTarget, options: TargetOptions): Promise<Readonly<Record<string, string>>> {
  const { stackName } = stackAndName(options);
  const client = new CloudFormationClient(clientSettings(place.connection(options)));
  try {
    const stack = await describeStack(client, stackName);
    if (stack !== undefined) return constructOutputs(outputsOf(stack), options);
  } catch (cause) {
    throw explainAt(place, options, cause);
  } finally {
    client.destroy();
  }
  const { name } = place;
  const flag = stackName === defaultStackName ? '' : ` --stack ${stackName}`;
  throw new UsageError(
    'MissingStack',
    `expected the stack "${stackName}" on ${name}, got none; "fanloop deploy --target ${name}${flag}" makes it`,
  );
}
