/** Raised inside a task when somebody cancelled it; a `catch` that does not want to swallow the request must throw it again. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  readonly code = 'Cancelled';
  /** What was given to `cancel(reason)`, unchanged. */
  readonly reason: unknown;

  constructor(reason?: unknown) {
    super(typeof reason === 'string' ? reason : 'cancelled');
    this.reason = reason;
  }
}

/** A deadline passed; `cause` is the cancellation that the deadline caused. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'TimedOut';

  constructor(message = 'the deadline passed', options?: ErrorOptions) {
    super(message, options);
  }
}

/** An operation was asked of an object whose state does not allow it: the program has a bug. */
export class InvalidStateError extends Error {
  override readonly name = 'InvalidStateError';
  readonly code = 'InvalidState';
}

/** The user interrupted the program and it ended because of that. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly code = 'Interrupted';

  constructor(message = 'interrupted by the user', options?: ErrorOptions) {
    super(message, options);
  }
}

/** `getNowait()` found no item. */
export class QueueEmpty extends Error {
  override readonly name = 'QueueEmpty';
  readonly code = 'QueueEmpty';
}

/** `putNowait()` found no free place. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
  readonly code = 'QueueFull';
}

/** The queue was shut down. */
export class QueueShutDown extends Error {
  override readonly name = 'QueueShutDown';
  readonly code = 'QueueShutDown';
}

/** The barrier was aborted, or reset while somebody waited. */
export class BrokenBarrierError extends Error {
  override readonly name = 'BrokenBarrierError';
  readonly code = 'BrokenBarrier';
}

/**
 * Says whether an error means "cancelled", so that a `catch` must throw it again: a CancelledError, the AbortError in which
 * Node's own functions wrap it, or the failure of a group whose scope (`await using`) has not been left.
 *
 * Difference to Python: foreign code reports a cancellation with its own AbortError, whose `cause` is our CancelledError.
 */
export function isCancellation(error: unknown): error is Error {
  if (error instanceof CancelledError) return true;
  if (error instanceof AggregateError && interruptions.has(error)) return true;
  return error instanceof Error && error.name === 'AbortError' && error.cause instanceof CancelledError;
}

/** The errors with which groups interrupt the code inside them, until that is left. @internal */
export const interruptions = new WeakSet<AggregateError>();
