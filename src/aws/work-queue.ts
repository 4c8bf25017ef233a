import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import { type Connection, clientSettings } from './connection.ts';
import { MessageQueue, type SqsCalls, type SqsOperations } from './message-queue.ts';

/** Makes the one SQS client of a process; a queue tries again itself. */
export function sqsClient(connection: Connection): SQSClient {
  return new SQSClient({ ...clientSettings(connection), maxAttempts: 1 });
}

/** One standard SQS queue by the SDK. */
export class SqsQueue extends MessageQueue {
  constructor(client: SQSClient, url: string) {
    super(new SdkCalls(client), url);
  }
}

type Send<Name extends keyof SqsOperations> = (
  client: SQSClient,
  input: SqsOperations[Name]['input'],
) => Promise<SqsOperations[Name]['output']>;

const sends: { readonly [Name in keyof SqsOperations]: Send<Name> } = {
  SendMessageBatch: (client, input) => client.send(new SendMessageBatchCommand(input)),
  ReceiveMessage: (client, input) => client.send(new ReceiveMessageCommand(input)),
  DeleteMessage: (client, input) => client.send(new DeleteMessageCommand(input)),
  ChangeMessageVisibility: (client, input) => client.send(new ChangeMessageVisibilityCommand(input)),
  GetQueueAttributes: (client, input) => client.send(new GetQueueAttributesCommand(input)),
};

class SdkCalls implements SqsCalls {
  readonly #client: SQSClient;

  constructor(client: SQSClient) {
    this.#client = client;
  }

  call<Name extends keyof SqsOperations>(
    name: Name,
    input: SqsOperations[Name]['input'],
  ): Promise<SqsOperations[Name]['output']> {
    return sends[name](this.#client, input);
  }

  refusalOf(error: unknown): string | undefined {
    return error instanceof SQSServiceException && error.$fault === 'client' ? error.name : undefined;
  }
}
