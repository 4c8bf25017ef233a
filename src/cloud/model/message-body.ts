/** What XML 1.0 has no place for; a surrogate alone is no character. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that SQS refuses.
const refused = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** A message has at most 1 MiB. */
export const maxMessageBytes = 1_048_576;

/** Why SQS takes no message with this body; undefined where it does. */
export function bodyProblem(
  body: string,
  maxBytes: number = maxMessageBytes,
): 'empty' | 'bad characters' | 'too long' | undefined {
  if (body === '') return 'empty';
  if (refused.test(body) || !body.isWellFormed()) return 'bad characters';
  if (body.length * 3 <= maxBytes) return undefined;
  return new TextEncoder().encode(body).length > maxBytes ? 'too long' : undefined;
}
