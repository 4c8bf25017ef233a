/** Mistakes of a person or caller, who can mend them; `message` says what was expected, what was got, and what to do. */
const usageCodes = [
  'UnknownTask',
  'InvalidInput',
  'InvalidItem',
  'InvalidOptions',
  'InvalidRequest',
  'EmptyInput',
  'ItemTooLarge',
  'JobExists',
  'JobNotFound',
  'MissingFile',
  'MissingSecret',
  'MissingPackages',
  'MissingStack',
  'MissingCredentials',
  'Unreachable',
  'StateFolderBusy',
  'TooManyFiles',
  'NewerVersion',
] as const;

/** The kind of a mistake. */
export type UsageCode = (typeof usageCodes)[number];

/** Whether an error's name, as a function answered it, is that of a mistake the caller can mend. */
export const isUsageCode = (name: string): name is UsageCode => usageCodes.some((code) => code === name);

/** A mistake of the caller's: shown as its one sentence, never with a stack trace. */
export class UsageError extends Error {
  readonly code: UsageCode;
  constructor(code: UsageCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = code;
  }
}

/** How a task says that an item failed, and whether another attempt makes sense. */
export interface TaskErrorDetails extends ErrorOptions {
  /** A short name in PascalCase by which failures are counted. */
  readonly code: string;
  /** Whether another attempt may succeed. @default false */
  readonly retryable?: boolean;
  /** The downstream's own wish for the next attempt, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The HTTP status, where there is one. */
  readonly status?: number;
  /** The beginning of the downstream's answer, for the item's row: a refusal without its reason is useless. */
  readonly body?: string;
}

/** Names the class across copies of this module: a bundle and a CommonJS test may each have one. */
const brand = Symbol.for('fanloop.TaskError');

/** A failure that a task understood: thrown by tasks and connectors, recorded in the item's row. */
export class TaskError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly body: string | undefined;
  constructor(message: string, details: TaskErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TaskError';
    this.code = details.code;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
    this.body = details.body;
  }

  get [brand](): true {
    return true;
  }
}

/** Whether a thrown thing is a {@link TaskError}, of this copy of the module or another. */
export function isTaskError(error: unknown): error is TaskError {
  return error instanceof TaskError || (error instanceof Error && brand in error);
}
