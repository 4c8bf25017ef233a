/** A message as an SQS event carries it. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface EventRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
  readonly md5OfBody: string;
  readonly md5OfMessageAttributes?: string;
  readonly eventSource: 'aws:sqs';
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

/** What the function answered, and whether its answer says which messages failed. */
export interface BatchAnswer {
  /** JSON text. */
  readonly payload: string;
  /** Set when the invocation failed. */
  readonly errorType?: string;
  readonly reportsBatchItemFailures: boolean;
}

/**
 * Tells which messages of a batch are done and leave the queue. A failed invocation keeps all of them; so does an answer that
 * Lambda cannot read, or that names something which is not in the batch. An answer that names nothing is success.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function settledRecords(records: readonly EventRecord[], answer: BatchAnswer): readonly EventRecord[] {
  if (answer.errorType !== undefined) return [];
  if (!answer.reportsBatchItemFailures) return records;
  const failed = failedIds(answer.payload);
  if (failed === undefined) return [];
  const known = new Set(records.map(({ messageId }) => messageId));
  for (const id of failed) if (!known.has(id)) return [];
  return records.filter(({ messageId }) => !failed.has(messageId));
}

/** Undefined when the answer makes the whole batch fail. */
function failedIds(payload: string): ReadonlySet<string> | undefined {
  const answer = parse(payload);
  if (answer === null) return new Set();
  if (typeof answer !== 'object' || !('batchItemFailures' in answer)) {
    return typeof answer === 'object' && !Array.isArray(answer) ? new Set() : undefined;
  }
  const failures = answer.batchItemFailures;
  if (failures === null) return new Set();
  if (!Array.isArray(failures)) return undefined;
  const ids = new Set<string>();
  for (const failure of failures) {
    const id: unknown = failure?.itemIdentifier;
    if (typeof id !== 'string' || id === '') return undefined;
    ids.add(id);
  }
  return ids;
}

function parse(payload: string): unknown {
  try {
    return payload === '' ? null : JSON.parse(payload);
  } catch {
    return undefined;
  }
}

/** An invocation takes at most 6 MB; the records of a batch are cut so that its event fits. */
const maxEventBytes = 6_291_456;
/** `{"Records":[` and `]}`. */
const frameBytes = 14;

/** Takes from the front of the list as many records as one event may carry: at least one. */
export function takeBatch(
  records: readonly EventRecord[],
  batchSize: number,
): { readonly batch: readonly EventRecord[]; readonly rest: readonly EventRecord[] } {
  let bytes = frameBytes;
  let count = 0;
  for (const record of records.slice(0, batchSize)) {
    bytes += Buffer.byteLength(JSON.stringify(record)) + 1;
    if (count > 0 && bytes > maxEventBytes) break;
    count += 1;
  }
  return { batch: records.slice(0, count), rest: records.slice(count) };
}
