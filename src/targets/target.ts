import type { Connection } from '../aws/connection.ts';
import type { Stack } from '../client/stack.ts';
import type { StackSettings } from '../runtime/stack-settings.ts';
import { UsageError } from '../task/errors.ts';
import type { Account } from './account.ts';
import type { DeployOptions } from './deploy.ts';
import type { DestroyOptions } from './destroy.ts';
import type { LogLine } from './logs/log-line.ts';
import type { TargetName, TargetOptions } from './target-options.ts';

/** How a stack is opened. */
export interface OpenOptions {
  /** Whether jobs that were left unfinished go on: reading commands let them rest. */
  readonly resume: boolean;
  /** Whether a job will be submitted at once. @default false */
  readonly submits?: boolean;
}

/** A place where the stack runs: the embedded cloud, LocalStack, or AWS. Each is a file of this folder, and `targets.ts` knows them by name. */
export interface Target {
  readonly name: TargetName;
  /** Refuses options that mean nothing here. @throws UsageError `InvalidOptions` */
  check(options: TargetOptions): void;
  /** Opens the stack that the options name. @throws UsageError `MissingStack`, `MissingCredentials`, `Unreachable`, `StateFolderBusy` */
  connect(options: TargetOptions, open: OpenOptions): Promise<Stack>;
  /** What the functions logged about a job, oldest first. */
  logs(options: TargetOptions, jobId: string): Promise<readonly LogLine[]>;
  /** How a stack gets here and goes again; absent where it starts with each command and needs no deployment. */
  readonly deployment?: Deployment;
}

/** How stacks are made and removed on a target that keeps them. */
export interface Deployment {
  /** Endpoint, region, and credentials; absent ones are found as the AWS CLI finds them. */
  connection(options: Pick<TargetOptions, 'endpoint'>): Connection;
  /** Settings that differ here from the stack's own defaults. */
  readonly defaults: StackSettings;
  /** What is changed here costs money or is used by others: a person is asked before. */
  readonly asksFirst: boolean;
  /** Whose account is meant. @throws UsageError `MissingCredentials`, or `Unreachable` */
  account(options: Pick<TargetOptions, 'endpoint'>): Promise<Account>;
  /** Makes the stack, or changes it to these settings. @throws Error with the end of the CDK's output */
  deploy(
    options: Pick<TargetOptions, 'endpoint'>,
    how: Omit<DeployOptions, 'connection'>,
  ): Promise<{ readonly changed: boolean }>;
  /** Removes the stack with everything in it; false where no such stack is. */
  destroy(options: Pick<TargetOptions, 'endpoint'>, how: Omit<DestroyOptions, 'connection'>): Promise<boolean>;
}

/** A target's deployment. @throws UsageError `InvalidOptions` where nothing is deployed */
export function deploymentOf(target: Target, verb: string): Deployment {
  if (target.deployment !== undefined) return target.deployment;
  throw new UsageError(
    'InvalidOptions',
    `"fanloop ${verb}" needs --target localstack or aws; the embedded cloud starts with each command and needs no deployment`,
  );
}
