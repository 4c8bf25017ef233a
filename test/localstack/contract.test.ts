import { describe, inject, it } from 'vitest';
import { fairnessSuite } from '../contract/fairness.ts';
import { limitsSuite } from '../contract/limits.ts';
import { contractSuite } from '../contract/suite.ts';
import '../support/localstack.ts';

describe('the contract on LocalStack', () => {
  const connection = inject('localStack');
  const cli = ['--target', 'localstack', '--endpoint', connection.endpoint, '--stack', inject('localStackStack')];
  const harness = () => ({ ...connection, cli });
  contractSuite(harness);
  limitsSuite(harness);
  fairnessSuite(harness);

  it.skip('the task database: no DynamoDB here, since LocalStack downloads it apart and a closed network has none, so this stack has no table', () => {});
});
