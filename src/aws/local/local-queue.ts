import { MessageQueue, type SqsCalls, type SqsOperations } from '../message-queue.ts';
import { failureOf, type LocalRequests } from './local-requests.ts';

/** One queue of the embedded cloud, by the same requests as the SDK makes (`work-queue.ts`), without loading it. */
export class LocalQueue extends MessageQueue {
  constructor(requests: LocalRequests, url: string) {
    super(new JsonCalls(requests), url);
  }
}

/** SQS's JSON protocol has the names of the API as they are. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-api.html */
class JsonCalls implements SqsCalls {
  readonly #requests: LocalRequests;

  constructor(requests: LocalRequests) {
    this.#requests = requests;
  }

  async call<Name extends keyof SqsOperations>(
    name: Name,
    input: SqsOperations[Name]['input'],
  ): Promise<SqsOperations[Name]['output']> {
    const asked = {
      service: 'sqs',
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${name}` },
      body: Buffer.from(JSON.stringify(input)),
    } as const;
    const answer = await this.#requests.once(asked);
    const text = answer.body.toString();
    if (answer.status !== 200) {
      const failure = failureOf(asked, answer);
      throw answer.status < 500 ? Object.assign(failure, { name: codeOf(text), isRefusal: true }) : failure;
    }
    // Operations without an answer have an empty body, or an empty object.
    return text === '' ? {} : (JSON.parse(text) as SqsOperations[Name]['output']);
  }

  refusalOf(error: unknown): string | undefined {
    return error instanceof Error && 'isRefusal' in error ? error.name : undefined;
  }
}

/** The code of a refusal: what stands behind the last # of its type. */
const codeOf = (body: string): string => /"__type"\s*:\s*"(?:[^"]*#)?([^"#]*)"/.exec(body)?.[1] ?? 'Error';
