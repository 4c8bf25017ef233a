import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { defaultStackName, type StackSettings, stackDescription } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';
import { readAccount } from './account.ts';
import { type CodeThere, codeNotice } from './code-here.ts';
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
  const outputs = async (options: TargetOptions) => (await readStack(place, options)).outputs;
  return {
    name: place.name,
    check: (options) => checkDeployed(options),
    connect: async (options, { submits = false }) => {
      const found = await readStack(place, options);
      const stack = connectStack(place.connection(options), found.outputs, { outlivesProcess: () => true });
      const notice = submits ? codeNotice(found, options) : undefined;
      return {
        ...stack,
        ...(place.workers !== undefined && { workers: place.workers }),
        ...(notice !== undefined && { notice }),
      };
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

/** Finds a stack by its name, and in it the construct that is meant. @throws UsageError `MissingStack`, `MissingCredentials`, or `Unreachable`, each with what to do */
async function readStack(place: DeployedTarget, options: TargetOptions): Promise<CodeThere> {
  const { stackName } = stackAndName(options);
  const client = new CloudFormationClient(clientSettings(place.connection(options)));
  try {
    const stack = await describeStack(client, stackName);
    if (stack !== undefined) {
      const outputs = constructOutputs(outputsOf(stack), options);
      return { outputs, isDefault: stack.Description === stackDescription };
    }
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
