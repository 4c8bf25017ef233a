/** Where a command works: an in-process cloud, LocalStack, or AWS. */
export const targetNames = ['embedded', 'localstack', 'aws'] as const;
export type TargetName = (typeof targetNames)[number];

/** The target of commands and programs that name none. */
export const defaultTarget: TargetName = 'embedded';

/** Options that say which cloud is meant; parsed, not yet checked against each other. */
export interface TargetOptions {
  readonly target: TargetName;
  readonly state?: string;
  /** Name of the CloudFormation stack; `Stack/Name` means a construct in it. @default Fanloop */
  readonly stack?: string;
  /** Id of the `Fanloop` construct in the stack. @default the only one */
  readonly name?: string;
  readonly endpoint?: string;
  readonly workers?: number;
  /** Folder of own tasks, where they run on this machine. @default `tasks` beside the nearest package.json, or the one that it names */
  readonly tasks?: string;
}
