/**
 * On-demand prices in US dollars: us-east-1, arm64, first tier, without the free tier. All that is said of money rests on this file.
 * A changed price is changed here, with the date.
 */
export const prices = {
  /** When the pages were read, ISO 8601. */
  asOf: '2026-11-26',
  /** One GB of memory for one second. https://aws.amazon.com/lambda/pricing/ */
  lambdaGbSecond: 0.000_013_333_4,
  lambdaRequest: 0.2 / 1_000_000,
  /** A request to a standard queue, for each 64 KB of it, and what it costs more when its messages have a group (fair queue). https://aws.amazon.com/sqs/pricing/ */
  sqsRequest: 0.4 / 1_000_000,
  sqsFairSurcharge: 0.1 / 1_000_000,
  /** PUT and LIST; GET and HEAD; DELETE is free. https://aws.amazon.com/s3/pricing/ */
  s3Write: 0.005 / 1_000,
  s3Read: 0.0004 / 1_000,
  /** A state transition of a standard workflow; an execution and a GB-second of an express one. https://aws.amazon.com/step-functions/pricing/ */
  stepTransition: 0.025 / 1_000,
  expressRequest: 1 / 1_000_000,
  expressGbSecond: 0.000_016_67,
  /** A step, wait, or callback of a durable function. https://aws.amazon.com/lambda/pricing/ */
  durableOperation: 8 / 1_000_000,
} as const;

/** SQS bills a request for each 64 KB that it carries. https://aws.amazon.com/sqs/pricing/ */
export const sqsBilledBytes = 65_536;
