import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Connection, clientSettings } from '../../aws/connection.ts';
import { jobIdTime } from '../../format/job-id.ts';
import { defaultLogGroup, functionNames } from '../function-logs.ts';
import { type LogLine, parseLogLine } from './log-line.ts';

/** Clocks of the caller and of AWS differ a little. */
const earlierMs = 60_000;

/** Lines about a job from the log groups of the stack's functions, oldest first. */
export async function readCloudWatchLogs(
  connection: Connection,
  outputs: Readonly<Record<string, string>>,
  jobId: string,
): Promise<readonly LogLine[]> {
  const lambda = new LambdaClient(clientSettings(connection));
  const logs = new CloudWatchLogsClient(clientSettings(connection));
  try {
    const groups = await Promise.all(functionNames(outputs).map((name) => groupsOf(lambda, name, connection)));
    const lines = await Promise.all(groups.flat().map((group) => readGroup(logs, group, jobId)));
    return lines.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  } finally {
    lambda.destroy();
    logs.destroy();
  }
}

async function groupsOf(
  client: LambdaClient,
  functionName: string,
  { endpoint }: Connection,
): Promise<readonly string[]> {
  const { LoggingConfig } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
  const byDefault = defaultLogGroup(functionName);
  const configured = LoggingConfig?.LogGroup ?? byDefault;
  // LocalStack has an endpoint; it writes to the group of the function's name, whatever is configured.
  return endpoint === undefined ? [configured] : [...new Set([configured, byDefault])];
}

async function readGroup(client: CloudWatchLogsClient, logGroupName: string, jobId: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let nextToken: string | undefined;
  do {
    const command = new FilterLogEventsCommand({
      logGroupName,
      filterPattern: `"${jobId}"`,
      startTime: jobIdTime(jobId) - earlierMs,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const answer = await client.send(command).catch((error: unknown) => {
      // A function that was never invoked may have no log group yet.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    });
    for (const { message = '' } of answer?.events ?? []) {
      const line = parseLogLine(message.trimEnd(), jobId);
      if (line !== undefined) lines.push(line);
    }
    nextToken = answer?.nextToken;
  } while (nextToken !== undefined);
  return lines;
}
