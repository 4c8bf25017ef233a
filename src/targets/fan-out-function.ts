import { FanOutFailed } from '../client/stack.ts';
import { parseJson, toJson } from '../format/json.ts';
import { answerFormat, type FanOutAnswer, type FanOutRequest } from '../format/request.ts';
import { limits } from '../limits.ts';
import { isUsageCode, UsageError } from '../task/errors.ts';

/** The function answers when it has ended, and its environment may have to start first. */
export const fanOutTimeoutMs = (limits.fanOutTimeoutSeconds + 30) * 1_000;

/** Invokes a function once with a JSON text, and answers what Lambda does. */
export type SendInvocation = (
  payload: string,
  signal: AbortSignal,
) => Promise<{ readonly payload: string | undefined; readonly functionError: string | undefined }>;

/** Invokes the fan-out function and waits for its answer. @throws UsageError what the function refused; FanOutFailed */
export async function invokeFanOut(
  send: SendInvocation,
  request: FanOutRequest,
  signal: AbortSignal,
): Promise<FanOutAnswer> {
  const answer = await send(toJson(request) ?? '', signal);
  const payload: unknown = parseJson(answer.payload ?? 'null');
  if (answer.functionError === undefined) return answerFormat.read(payload);
  const { errorType, errorMessage } = failureOf(payload);
  if (isUsageCode(errorType)) throw new UsageError(errorType, errorMessage);
  throw new FanOutFailed(`the fan-out function failed: ${errorType}: ${errorMessage}`);
}

/** Lambda describes an error that a function threw. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function failureOf(payload: unknown): { readonly errorType: string; readonly errorMessage: string } {
  const text = (name: string): string => {
    const value =
      typeof payload === 'object' && payload !== null ? new Map(Object.entries(payload)).get(name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  return { errorType: text('errorType') || 'Error', errorMessage: text('errorMessage') || 'no message' };
}
