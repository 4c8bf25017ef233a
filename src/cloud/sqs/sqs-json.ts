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
  return Array.isArray(value) ? value.map(String) : [];
}

/** A value as text; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
