/** An object of SQS's JSON protocol, not yet trusted. */
export type Json = Readonly<Record<string, unknown>>;

/** An answer of SQS's JSON protocol. */
export interface SqsAnswer {
  readonly status: number;
  /** `code;fault` of the error for clients that know the older protocol's names. */
  readonly queryError?: string;
  readonly body: Json;
}

/** A success. */
export function answer(body: Json): SqsAnswer {
  return { status: 200, body };
}

/** A refusal by SQS's name. */
export function refuse(
  code: string,
  message: string,
  { status = 400, queryCode = code }: { status?: number; queryCode?: string } = {},
): SqsAnswer {
  const queryError = `${queryCode.includes('.') || queryCode === 'AccessDenied' ? '' : 'AWS.SimpleQueueService.'}${queryCode};Sender`;
  return { status, queryError, body: { __type: `com.amazonaws.sqs#${code}`, message } };
}

/** A value as an object; empty where it is none. */
export function objectOf(value: unknown): Json {
  // Any object can be read by names whose values are not trusted.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A value as a list of objects; empty where it is none. */
export function objectsOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/** A value as a list of texts; empty where it is none. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(shown) : [];
}

/** A value as a number; NaN where it is none. Only what is one is asked: an object's own conversion may throw. */
export function numberFrom(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN;
}

/** A value as a message shows it, or as an attribute is kept. */
export function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : typeof value;
}

/** A value as text; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Whether something is an answer: a refusal among what could be read. */
export function isAnswer(value: object): value is SqsAnswer {
  return 'status' in value && 'body' in value && typeof value.status === 'number';
}

/** An entry of a batch that failed by itself. */
export function failedEntry(id: unknown, refusal: SqsAnswer): Json {
  const code = textOf(refusal.body['__type']).split('#').at(-1);
  return { Id: id, SenderFault: true, Code: code, Message: refusal.body['message'] };
}

/** Refuses a batch as a whole where SQS would. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
export function batchProblem(entries: readonly Json[]): SqsAnswer | undefined {
  if (entries.length === 0) {
    return refuse('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > maxEntries) {
    const message = `Maximum number of entries per request are ${maxEntries}. You have sent ${entries.length}.`;
    return refuse('TooManyEntriesInBatchRequest', message);
  }
  const ids = entries.map((entry) => textOf(entry['Id']));
  const bad = ids.find((id) => !/^[\w-]{1,80}$/.test(id));
  if (bad !== undefined) {
    const message = `A batch entry id can only contain alphanumeric characters, hyphens and underscores, at most 80, got "${bad}".`;
    return refuse('InvalidBatchEntryId', message);
  }
  if (new Set(ids).size < ids.length) return refuse('BatchEntryIdsNotDistinct', 'Two entries have the same id.');
  return undefined;
}

const maxEntries = 10;
