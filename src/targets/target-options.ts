/** Where a command works: an in-process cloud, LocalStack, or AWS. */
export const targetNames = ['embedded', 'localstack', 'aws'] as const;
export type TargetName = (typeof targetNames)[number];

/** The target of commands and programs that name none. */
export const defaultTarget: TargetName = 'embedded';

/** Options that say which cloud is meant; parsed, not yet checked against each other. */
export interface TargetOptions {
  readonly target: TargetName;
  readonly state?: string;
  readonly stack?: string;
  readonly endpoint?: string;
  readonly workers?: number;
}
