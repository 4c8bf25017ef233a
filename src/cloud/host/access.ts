import type { IncomingMessage } from 'node:http';

/** One question of access control. */
export interface AccessRequest {
  /** Empty for a request without credentials. */
  readonly accessKeyId: string;
  /** As in a policy: `s3:GetObject`. */
  readonly action: string;
  /** An ARN. */
  readonly resource: string;
}

/** Decides a call: `true` lets it pass, `false` refuses it, and a sentence refuses it with this message. */
export type Authorize = (request: AccessRequest) => boolean | string;

/** Account and region of the embedded cloud, as they stand in ARNs and queue URLs. */
export const accountId = '000000000000';
export const region = 'us-east-1';

/** The ARN of a queue of the embedded cloud. */
export function queueArn(name: string): string {
  return `arn:aws:sqs:${region}:${accountId}:${name}`;
}

/** Who calls: the access key of a signed request or URL; the signature is not checked, since the server listens on loopback for its own user. */
export function accessKeyOf(request: IncomingMessage): string {
  const signed = /Credential=([^/,\s]+)\//.exec(request.headers.authorization ?? '')?.[1];
  return signed ?? /[?&]X-Amz-Credential=([^/&%]+)(?:\/|%2F)/i.exec(request.url ?? '')?.[1] ?? '';
}

/** The sentence that refuses a call, or undefined where it may pass. */
export function refusalOf(authorize: Authorize, request: AccessRequest): string | undefined {
  const answer = authorize(request);
  if (answer === true) return undefined;
  if (typeof answer === 'string') return answer;
  return `The caller with access key ${request.accessKeyId || '(none)'} is not allowed to perform ${request.action} on ${request.resource}; grant it to the function's role`;
}
