import type { QueueCall } from './call.ts';
import {
  answer,
  batchProblem,
  failedEntry,
  type Json,
  numberFrom,
  objectsOf,
  refuse,
  type SqsAnswer,
  textOf,
} from './json.ts';
import { rangeProblem } from './receive.ts';

/** SQS hides a message for at most 12 hours. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
const maxVisibilitySeconds = 43_200;

/** DeleteMessage. The handle of a delivery whose visibility ran out still deletes, unless the message was delivered again. */
export function deleteMessage(input: Json, { queue }: QueueCall): SqsAnswer {
  const handle = textOf(input['ReceiptHandle']);
  if (handle === '') return refuse('MissingParameter', 'The request must contain the parameter ReceiptHandle.');
  queue.model.delete(handle);
  return answer({});
}

/** DeleteMessageBatch. */
export function deleteMessageBatch(input: Json, call: QueueCall): SqsAnswer {
  return batch(input, (entry) => deleteMessage(entry, call));
}

/** ChangeMessageVisibility. */
export function changeVisibility(input: Json, { queue }: QueueCall): SqsAnswer {
  const seconds = numberFrom(input['VisibilityTimeout']);
  const problem = rangeProblem('VisibilityTimeout', seconds, [0, maxVisibilitySeconds]);
  if (problem !== undefined) return problem;
  switch (queue.model.changeVisibility(textOf(input['ReceiptHandle']), seconds)) {
    case 'changed':
      return answer({});
    case 'not in flight':
      return refuse('MessageNotInflight', 'The specified message is not in flight.');
    case 'unknown handle':
      return refuse('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  }
}

/** ChangeMessageVisibilityBatch: a bad entry fails alone, inside a 200. */
export function changeVisibilityBatch(input: Json, call: QueueCall): SqsAnswer {
  return batch(input, (entry) => changeVisibility(entry, call));
}

function batch(input: Json, act: (entry: Json) => SqsAnswer): SqsAnswer {
  const entries = objectsOf(input['Entries']);
  const problem = batchProblem(entries);
  if (problem !== undefined) return problem;
  const successful: Json[] = [];
  const failed: Json[] = [];
  for (const entry of entries) {
    const answered = act(entry);
    if (answered.status === 200) successful.push({ Id: entry['Id'] });
    else failed.push(failedEntry(entry['Id'], answered));
  }
  return answer({ Successful: successful, ...(failed.length === 0 ? {} : { Failed: failed }) });
}
