import { tasks as taskFiles } from 'fanloop:tasks';
import type { Context } from 'aws-lambda';
import { functionDeps, newWriter } from '../adapters/function-deps.ts';
import { threadsBeside } from '../adapters/task-threads.ts';
import { fanOut } from '../core/job/fan-out.ts';
import { type FanOutAnswer, parseRequest } from '../core/job/request.ts';
import { withThreads } from '../core/worker/thread-task.ts';

const deps = functionDeps(process.env);
const tasks = withThreads(taskFiles, threadsBeside(import.meta.url));

/** Starts a job. Lambda repeats a failed asynchronous invocation under the same request id, so that one is the default token. */
export const handler = async (event: unknown, context: Context): Promise<FanOutAnswer> => {
  const request = parseRequest(event);
  const deadline = deps.clock.now() + context.getRemainingTimeInMillis();
  const token = request.clientToken ?? context.awsRequestId;
  return fanOut({ ...deps, tasks, deadline, writer: newWriter() }, request, token);
};
