import { createHash } from 'node:crypto';
import { bodyProblem, maxMessageBytes } from '../model/message-body.ts';
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
  shown,
  textOf,
} from './json.ts';
import { attributesMd5 } from './message-attributes.ts';

/** SQS delays a message by at most 15 minutes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const maxDelaySeconds = 900;

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
  // As much as one message may have alone.
  if (bytes > maxMessageBytes) {
    const message = `Batch requests cannot be longer than ${maxMessageBytes} bytes. You have sent ${bytes} bytes.`;
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
    refusedBody(body, numberOf(queue, 'MaximumMessageSize')) ?? delayProblem(entry) ?? groupProblem(entry);
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

function refusedBody(body: string, maxBytes: number): SqsAnswer | undefined {
  switch (bodyProblem(body, maxBytes)) {
    case undefined:
      return undefined;
    case 'empty':
      return missing('MessageBody');
    case 'bad characters':
      return refuse('InvalidMessageContents', 'The message contains characters outside the allowed set.');
    case 'too long': {
      const message = `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`;
      return refuse('InvalidParameterValue', message);
    }
  }
}

function delayProblem(entry: Json): SqsAnswer | undefined {
  const delay = entry['DelaySeconds'];
  if (delay === undefined || delay === null) return undefined;
  if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= maxDelaySeconds) return undefined;
  const message = `Value ${shown(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${maxDelaySeconds}.`;
  return refuse('InvalidParameterValue', message);
}

function groupProblem(entry: Json): SqsAnswer | undefined {
  const group = entry['MessageGroupId'];
  if (group === undefined || group === null) return undefined;
  if (typeof group === 'string' && /^[\x21-\x7e]{1,128}$/.test(group)) return undefined;
  const message = `Value ${shown(group)} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  return refuse('InvalidParameterValue', message);
}

function missing(parameter: string): SqsAnswer {
  return refuse('MissingParameter', `The request must contain the parameter ${parameter}.`);
}
