import type { CloudConnection } from '../../src/cloud/host/cloud.ts';

/** A stack on LocalStack, as the suite's setup has deployed it. */
export type LocalStackConnection = Pick<CloudConnection, 'endpoint' | 'region' | 'credentials' | 'outputs'>;

declare module 'vitest' {
  export interface ProvidedContext {
    /** What `test/support/localstack-setup.ts` has started and deployed. */
    readonly localStack: LocalStackConnection;
    /** Name of the deployed stack. */
    readonly localStackStack: string;
  }
}

/** How anybody reaches a LocalStack: it takes any credentials, and `test` is the account 000000000000. */
export function localStackAt(endpoint: string): Omit<LocalStackConnection, 'outputs'> {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}
