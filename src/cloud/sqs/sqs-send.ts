import { createHash } from 'node:crypto';
import { answer, type Json, objectOf, objectsOf, refuse, type SqsAnswer, textOf } from './sqs-json.ts';
import type { QueueState, SqsShared } from './sqs-queue.ts';

/** SQS delays a message by at most 15 minutes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const maxDelaySeconds = 900;
const astral = /[\ud800-\udbff][\udc00-\udfff]/g;

/** What a send needs beside its input. */
export interface SendContext extends SqsShared {
  readonly queue: QueueState;
  /** The trace header of the HTTP request. */
  readonly traceHeader: string | undefined;
}

/** SendMessage. */
export async function sendMessage(input: Json, context: SendContext): Promise<SqsAnswer> {
  const problem = delayProblem(input);
  if (problem !== undefined) return refuse('InvalidParameterValue', problem);
  const sent = await context.ask('SendMessage', held(input));
  return sent.status === 200 ? answer(taken(input, sent.body, context)) : sent;
}

/** SendMessageBatch: a bad entry fails alone, inside a 200. */
export async function sendMessageBatch(input: Json, context: SendContext): Promise<SqsAnswer> {
  const entries = objectsOf(input['Entries']);
  const empty = entries.findIndex((entry) => textOf(entry['MessageBody']) === '');
  if (empty !== -1) {
    return refuse(
      'MissingParameter',
      `The request must contain the parameter SendMessageBatchRequestEntry.${empty + 1}.MessageBody.`,
    );
  }
  const failed = entries.flatMap((entry) => {
    const problem = delayProblem(entry);
    return problem === undefined
      ? []
      : [{ Id: entry['Id'], SenderFault: true, Code: 'InvalidParameterValue', Message: problem }];
  });
  const kept = entries.length > 10 ? entries : entries.filter((entry) => delayProblem(entry) === undefined);
  if (kept.length === 0 && failed.length > 0) return answer({ Successful: [], Failed: failed });
  const sent = await context.ask('SendMessageBatch', { ...input, Entries: kept.map(held) });
  if (sent.status !== 200) return sent;
  const byId = new Map(kept.map((entry) => [entry['Id'], entry]));
  const successful = objectsOf(sent.body['Successful']).map((one) => taken(byId.get(one['Id']) ?? {}, one, context));
  return answer({ Successful: successful, Failed: [...objectsOf(sent.body['Failed']), ...failed] });
}

function delayProblem(entry: Json): string | undefined {
  const delay = entry['DelaySeconds'];
  if (delay === undefined || delay === null) return undefined;
  if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= maxDelaySeconds) return undefined;
  return `Value ${String(delay)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${maxDelaySeconds}.`;
}

/** The entry as fauxqs takes it: it refuses characters beyond U+FFFF, which SQS accepts, so it holds a body of the same size without them. */
function held(entry: Json): Json {
  const { MessageSystemAttributes: _, ...rest } = entry;
  return { ...rest, MessageBody: textOf(entry['MessageBody']).replace(astral, 'xxxx') };
}

function taken(entry: Json, sent: Json, { queue, notes, traceHeader }: SendContext): Json {
  const body = textOf(entry['MessageBody']);
  const isReplaced = body.replace(astral, '').length < body.length;
  const trace =
    textOf(objectOf(objectOf(entry['MessageSystemAttributes'])['AWSTraceHeader'])['StringValue']) || traceHeader;
  const group = textOf(entry['MessageGroupId']);
  notes.set(textOf(sent['MessageId']), {
    ...(group === '' ? {} : { group }),
    ...(trace === undefined ? {} : { trace }),
    ...(isReplaced ? { body } : {}),
  });
  const delaySeconds = Number(entry['DelaySeconds'] ?? queue.attributes['DelaySeconds'] ?? 0);
  if (delaySeconds > 0) queue.readiness.expect(Date.now() + delaySeconds * 1_000);
  else queue.readiness.arrived();
  return isReplaced ? { ...sent, MD5OfMessageBody: createHash('md5').update(body).digest('hex') } : sent;
}
