import { createHash } from 'node:crypto';
import { numberOf } from './attributes.ts';
import type { QueueCall } from './call.ts';
import {
  answer,
  batchProblem,
  failedEntry,
  isAnswer,
  type Json,
  objectOf,
  objectsOf,
  refuse,
  type SqsAnswer,
  textOf,
} from './json.ts';
import { attributesMd5 } from './message-attributes.ts';

/** SQS delays a message by at most 15 minutes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const maxDelaySeconds = 900;
/** All entries of a batch together. */
const maxBatchBytes = 1_048_576;

/** SendMessage. */
export function sendMessage(input: Json, call: QueueCall): SqsAnswer {
  const sent = take(input, call);
  return isAnswer(sent) ? sent : answer(sent);
}

/** SendMessageBatch: a bad entry fails alone, inside a 200. */
export function sendMessageBatch(input: Json, call: QueueCall): SqsAnswer {
  const entries = objectsOf(input['Entries']);
  const problem = batchProblem(entries);
  if (problem !== undefined) return problem;
  const empty = entries.findIndex((entry) => textOf(entry['MessageBody']) === '');
  if (empty !== -1) return missing(`SendMessageBatchRequestEntry.${empty + 1}.MessageBody`);
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(textOf(entry['MessageBody'])), 0);
  if (bytes > maxBatchBytes) {
    const message = `Batch requests cannot be longer than ${maxBatchBytes} bytes. You have sent ${bytes} bytes.`;
    return refuse('BatchRequestTooLong', message);
  }
  const successful: Json[] = [];
  const failed: Json[] = [];
  for (const entry of entries) {
    const sent = take(entry, call);
    if (isAnswer(sent)) failed.push(failedEntry(entry['Id'], sent));
    else successful.push({ Id: entry['Id'], ...sent });
  }
  return answer({ Successful: successful, ...(failed.length === 0 ? {} : { Failed: failed }) });
}

function take(entry: Json, { queue, traceHeader }: QueueCall): Json | SqsAnswer {
  const body = textOf(entry['MessageBody']);
  const problem =
    bodyProblem(body, numberOf(queue, 'MaximumMessageSize')) ?? delayProblem(entry) ?? groupProblem(entry);
  if (problem !== undefined) return problem;
  const trace =
    textOf(objectOf(objectOf(entry['MessageSystemAttributes'])['AWSTraceHeader'])['StringValue']) || traceHeader;
  const group = textOf(entry['MessageGroupId']);
  const delay = entry['DelaySeconds'];
  const attributes = objectOf(entry['MessageAttributes']);
  const hasAttributes = Object.keys(attributes).length > 0;
  const messageId = queue.model.send({
    body,
    notes: { ...(trace !== undefined && { trace }), ...(hasAttributes && { attributes }) },
    ...(group !== '' && { group }),
    ...(typeof delay === 'number' && { delaySeconds: delay }),
  });
  return {
    MessageId: messageId,
    MD5OfMessageBody: createHash('md5').update(body).digest('hex'),
    ...(hasAttributes && { MD5OfMessageAttributes: attributesMd5(attributes) }),
  };
}

/** What XML 1.0 has no place for; a surrogate alone is no character. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that SQS refuses.
const refused = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function bodyProblem(body: string, maxBytes: number): SqsAnswer | undefined {
  if (body === '') return missing('MessageBody');
  if (refused.test(body) || !body.isWellFormed())
    return refuse('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  if (Buffer.byteLength(body) <= maxBytes) return undefined;
  const message = `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`;
  return refuse('InvalidParameterValue', message);
}

function delayProblem(entry: Json): SqsAnswer | undefined {
  const delay = entry['DelaySeconds'];
  if (delay === undefined || delay === null) return undefined;
  if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= maxDelaySeconds) return undefined;
  const message = `Value ${String(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${maxDelaySeconds}.`;
  return refuse('InvalidParameterValue', message);
}

function groupProblem(entry: Json): SqsAnswer | undefined {
  const group = entry['MessageGroupId'];
  if (group === undefined || group === null) return undefined;
  if (typeof group === 'string' && /^[\x21-\x7e]{1,128}$/.test(group)) return undefined;
  const message = `Value ${String(group)} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  return refuse('InvalidParameterValue', message);
}

function missing(parameter: string): SqsAnswer {
  return refuse('MissingParameter', `The request must contain the parameter ${parameter}.`);
}
