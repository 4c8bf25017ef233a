import { answer, type Json, objectsOf, type SqsAnswer, textOf } from './sqs-json.ts';
import type { QueueState, SqsShared } from './sqs-queue.ts';

/** What changes of deliveries need beside their input. */
export interface DeliveryContext extends SqsShared {
  readonly queue: QueueState;
}

/** DeleteMessage. The handle of a delivery whose visibility ran out still deletes, unless the message was delivered again. */
export async function deleteMessage(input: Json, { queue, ask, notes }: DeliveryContext): Promise<SqsAnswer> {
  const handle = textOf(input['ReceiptHandle']);
  const delivery = queue.deliveries.get(handle);
  if (delivery === undefined) return ask('DeleteMessage', input);
  queue.deliveries.delete(handle);
  notes.delete(delivery.messageId);
  if (delivery.until <= Date.now()) {
    queue.deleted.add(delivery.messageId);
    return answer({});
  }
  const answered = await ask('DeleteMessage', input);
  // In a FIFO queue the next message of the group was waiting for this.
  if (queue.name.endsWith('.fifo')) queue.readiness.arrived();
  return answered;
}

/** DeleteMessageBatch. */
export async function deleteMessageBatch(input: Json, context: DeliveryContext): Promise<SqsAnswer> {
  const entries = objectsOf(input['Entries']);
  // With handles that no message has, fauxqs checks the request and deletes nothing.
  const unknown = entries.map((entry) => ({ ...entry, ReceiptHandle: 'unknown' }));
  const checked = await context.ask('DeleteMessageBatch', { ...input, Entries: unknown });
  if (checked.status !== 200) return checked;
  const { QueueUrl } = input;
  await Promise.all(entries.map(({ ReceiptHandle }) => deleteMessage({ QueueUrl, ReceiptHandle }, context)));
  return checked;
}

/** ChangeMessageVisibility. */
export async function changeVisibility(input: Json, { queue, ask }: DeliveryContext): Promise<SqsAnswer> {
  const changed = await ask('ChangeMessageVisibility', withoutExpired(queue, input));
  if (changed.status === 200) hold(queue, input);
  return changed;
}

/** ChangeMessageVisibilityBatch: a bad entry fails alone, inside a 200. */
export async function changeVisibilityBatch(input: Json, { queue, ask }: DeliveryContext): Promise<SqsAnswer> {
  const entries = objectsOf(input['Entries']);
  const checked = entries.map((entry) => withoutExpired(queue, entry));
  const changed = await ask('ChangeMessageVisibilityBatch', { ...input, Entries: checked });
  const done = new Set(objectsOf(changed.body['Successful']).map((one) => one['Id']));
  for (const entry of entries) if (done.has(entry['Id'])) hold(queue, entry);
  return changed;
}

function hold(queue: QueueState, entry: Json): void {
  const delivery = queue.deliveries.get(textOf(entry['ReceiptHandle']));
  if (delivery === undefined) return;
  const seconds = Number(entry['VisibilityTimeout']);
  delivery.until = Date.now() + seconds * 1_000;
  if (seconds > 0) queue.readiness.expect(delivery.until);
  else queue.readiness.arrived();
}

/** A delivery whose visibility has run out is not in flight any more, though fauxqs would extend it until its next receive. */
function withoutExpired(queue: QueueState, entry: Json): Json {
  const delivery = queue.deliveries.get(textOf(entry['ReceiptHandle']));
  return delivery !== undefined && delivery.until <= Date.now() ? { ...entry, ReceiptHandle: 'expired' } : entry;
}
