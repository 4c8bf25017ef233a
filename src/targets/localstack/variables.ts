/** LocalStack's settings that are the same however it runs. https://docs.localstack.cloud/aws/capabilities/config/configuration/ */
export const commonVariables: Readonly<Record<string, string>> = {
  /** Queue URLs have no name of their own in front of the host, which would need a DNS server that knows it. */
  SQS_ENDPOINT_STRATEGY: 'path',
  /** The one poller of an event source mapping looks again at once after a batch, and twice a second in an empty queue: 1 s and up to 10 s by default. */
  LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC: '0.02',
  LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC: '0.5',
  /** Failing to reach a queue is no reason to wait for a minute. */
  LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC: '5',
  /** An idle environment stays warm this long. */
  LAMBDA_KEEPALIVE_MS: '60000',
  /** A cold start that competes for the machine with others may take longer than the default of 20 s. */
  LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT: '60',
  /** Nothing is reported to LocalStack's makers. */
  DISABLE_EVENTS: '1',
};
