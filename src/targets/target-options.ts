import { UsageError } from '../task/errors.ts';

/** Where a command works: an in-process cloud, LocalStack, or AWS. */
export const targets = ['embedded', 'localstack', 'aws'] as const;
export type TargetName = (typeof targets)[number];

/** Options that say which cloud is meant; parsed, not yet checked against each other. */
export interface TargetOptions {
  readonly target: TargetName;
  readonly state?: string;
  readonly stack?: string;
  readonly endpoint?: string;
  readonly workers?: number;
}

/** Refuses options that mean nothing on the chosen target. @throws UsageError `InvalidOptions` */
export function checkTarget(options: TargetOptions): void {
  const embedded = options.target === 'embedded';
  if (embedded && options.endpoint !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      '--endpoint needs --target localstack or aws; the embedded cloud chooses its own port',
    );
  }
  if (!embedded && options.state !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      `--state needs --target embedded; on ${options.target} a job is kept in the stack's bucket`,
    );
  }
  if (!embedded && options.workers !== undefined) {
    throw new UsageError(
      'InvalidOptions',
      `--workers is a property of the deployed stack: "fanloop deploy --target ${options.target} --workers ${options.workers}" changes it`,
    );
  }
  if (options.endpoint !== undefined && !URL.canParse(options.endpoint)) {
    throw new UsageError(
      'InvalidOptions',
      `expected --endpoint to be a URL as http://127.0.0.1:4566, got "${options.endpoint}"`,
    );
  }
}
