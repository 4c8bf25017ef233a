import { describe, inject } from 'vitest';
import { contractSuite } from '../contract/suite.ts';
import '../support/localstack.ts';

describe('the contract on LocalStack', () => {
  const connection = inject('localStack');
  const cli = ['--target', 'localstack', '--endpoint', connection.endpoint, '--stack', inject('localStackStack')];
  contractSuite(() => ({ ...connection, cli }));
});
