import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { type Authorize, accessKeyOf, accountId, refusalOf, region } from './access.ts';
import { readBody } from './request-body.ts';

const maxRequestBytes = 65_536;

/** Whether a request is one of Systems Manager's. */
export function isParameters(request: IncomingMessage): boolean {
  return String(request.headers['x-amz-target'] ?? '').startsWith('AmazonSSM.');
}

/**
 * Answers GetParameters, by which functions ask for secrets: a parameter's value is the variable of its last name in the person's own
 * environment, or in the nearest `.env`. Nothing of it is written anywhere.
 */
export async function answerParameters(
  request: IncomingMessage,
  response: ServerResponse,
  { authorize }: { readonly authorize: Authorize },
): Promise<void> {
  const text = (await readBody(request, maxRequestBytes))?.toString('utf8') ?? '{}';
  if (request.headers['x-amz-target'] !== 'AmazonSSM.GetParameters') {
    return answer(response, 400, {
      __type: 'InvalidAction',
      message: 'expected GetParameters, the one action of Systems Manager in the embedded cloud',
    });
  }
  const { Names = [] } = JSON.parse(text) as { readonly Names?: readonly string[] };
  for (const name of Names) {
    const resource = `arn:aws:ssm:${region}:${accountId}:parameter${name}`;
    const message = refusalOf(authorize, { accessKeyId: accessKeyOf(request), action: 'ssm:GetParameters', resource });
    if (message !== undefined) return answer(response, 400, { __type: 'AccessDeniedException', message });
  }
  const variables = { ...nearestEnvFile(process.cwd()), ...process.env };
  const variableOf = (name: string): string | undefined => variables[name.split('/').at(-1) ?? ''];
  const Parameters = Names.flatMap((Name) => {
    const Value = variableOf(Name);
    return Value === undefined || Value === '' ? [] : [{ Name, Value, Type: 'SecureString' }];
  });
  const InvalidParameters = Names.filter((name) => Parameters.every(({ Name }) => Name !== name));
  return answer(response, 200, { Parameters, InvalidParameters });
}

/** The variables of the `.env` in this folder, or the nearest one above it up to the project's own. */
function nearestEnvFile(folder: string): NodeJS.Dict<string> {
  const file = path.join(folder, '.env');
  if (existsSync(file)) return parseEnv(readFileSync(file, 'utf8'));
  const parent = path.dirname(folder);
  return parent === folder || existsSync(path.join(folder, 'package.json')) ? {} : nearestEnvFile(parent);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
