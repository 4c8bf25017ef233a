import { CreateFunctionCommand, InvokeCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { clientSettings } from '../../src/aws/connection.ts';
import type { LocalStackConnection } from './localstack.ts';
import { zipOf } from './zip.ts';

/** A function's own settings. */
export interface FunctionOptions {
  /** Source of `index.mjs`, which exports `handler`. */
  readonly code: string;
  readonly timeoutSeconds?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What an invocation said. */
export interface Invoked {
  readonly functionError: string | undefined;
  readonly payload: unknown;
  readonly logTail: string;
}

/** Makes a function on LocalStack without a stack; answers with how to invoke it. */
export async function createFunction(
  connection: Omit<LocalStackConnection, 'outputs'>,
  name: string,
  options: FunctionOptions,
): Promise<(payload: unknown) => Promise<Invoked>> {
  const client = new LambdaClient(clientSettings(connection));
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/any',
      Code: { ZipFile: zipOf('index.mjs', options.code) },
      Timeout: options.timeoutSeconds ?? 30,
      MemorySize: 128,
      Environment: { Variables: { ...options.environment } },
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 60, minDelay: 1 }, { FunctionName: name });
  return async (payload) => {
    const answer = await client.send(
      new InvokeCommand({ FunctionName: name, LogType: 'Tail', Payload: JSON.stringify(payload) }),
    );
    return {
      functionError: answer.FunctionError,
      payload: JSON.parse(new TextDecoder().decode(answer.Payload)),
      logTail: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    };
  };
}
