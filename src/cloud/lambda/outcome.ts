import type { FunctionDescription } from '../template/template-functions.ts';
import type { Exit } from './process.ts';
import type { Answer, LambdaError } from './runtime-protocol.ts';

/** Why the host killed an environment. */
export type KillReason = 'timeout' | 'memory';

/** What ended an invocation: the answer of the runtime, or the end of its process. */
export type Ending = { readonly by: 'answer'; readonly answer: Answer } | { readonly by: 'exit'; readonly exit: Exit };

/** What is known about an invocation beside its ending. */
export interface OutcomeOptions {
  readonly killedFor: KillReason | undefined;
  /** What the runtime said before its process ended. */
  readonly answer: Answer | undefined;
  readonly requestId: string;
  readonly description: FunctionDescription;
}

/** The largest answer of an invocation, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxResponseBytes = 6_291_556;

/** What the caller is answered: JSON text of the value or of the error, with Lambda's names and sentences. */
export function outcomeOf(
  ending: Ending,
  options: OutcomeOptions,
): { readonly payload: string; readonly errorType?: string } {
  const { killedFor, answer, requestId, description } = options;
  if (ending.by === 'answer') {
    if (ending.answer.type === 'failed') return failure(ending.answer.error);
    if (Buffer.byteLength(ending.answer.payload) <= maxResponseBytes) return { payload: ending.answer.payload };
    return failure({
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`,
    });
  }
  if (killedFor === 'timeout') {
    const seconds = (description.timeoutMs / 1_000).toFixed(2);
    return failure({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
    });
  }
  if (killedFor === 'memory') {
    return failure({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
    });
  }
  if (answer?.type === 'failed') return failure(answer.error);
  return failure({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited ${exitReason(ending.exit)}`,
  });
}

function exitReason({ code, signal }: Exit): string {
  if (signal === 'SIGABRT') return 'with error: signal: aborted';
  if (signal === 'SIGKILL') return 'with error: signal: killed';
  if (signal !== null) return `with error: signal: ${signal}`;
  return code === 0 ? 'without providing a reason' : `with error: exit status ${code}`;
}

function failure(error: LambdaError): { readonly payload: string; readonly errorType: string } {
  return { payload: JSON.stringify(error), errorType: error.errorType };
}
