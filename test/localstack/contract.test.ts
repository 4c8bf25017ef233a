import { describe, inject, it } from 'vitest';
import { contractSuite } from '../contract/suite.ts';
import '../support/localstack.ts';

describe('the contract on LocalStack', () => {
  const connection = inject('localStack');
  const cli = ['--target', 'localstack', '--endpoint', connection.endpoint, '--stack', inject('localStackStack')];
  const harness = () => ({ ...connection, cli });
  contractSuite(harness);

  it.skip('the task database: no DynamoDB here, since LocalStack downloads it apart and a closed network has none, so this stack has no table', () => {});
});
