import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { accessKeyOf, accountId } from './access.ts';
import { readBody } from './request-body.ts';

/** A form is a call of STS; it is short. */
const maxFormBytes = 65_536;

/** Whether a request is one of AWS's query protocol, which of all services here only STS speaks. */
export function isSts(request: IncomingMessage): boolean {
  return (
    request.method === 'POST' &&
    request.url === '/' &&
    /^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? '')
  );
}

/** Answers GetCallerIdentity, by which clients ask whose credentials they have; STS has no other action here. */
export async function answerSts(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams((await readBody(request, maxFormBytes))?.toString('utf8'));
  if (form.get('Action') !== 'GetCallerIdentity') {
    const message = 'expected GetCallerIdentity, the one action of the query protocol in the embedded cloud';
    return answer(
      response,
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  }
  const key = accessKeyOf(request).replaceAll(/[^\w.-]/g, '');
  const identity = `<Arn>arn:aws:iam::${accountId}:user/${key}</Arn><UserId>${key}</UserId><Account>${accountId}</Account>`;
  return answer(
    response,
    200,
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${identity}</GetCallerIdentityResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
  );
}

function answer(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(xml) });
  response.end(xml);
}
