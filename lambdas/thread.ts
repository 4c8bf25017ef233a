import { tasks } from 'fanloop:tasks';
import { jsonLog } from '../src/runtime/system.ts';
import { answerOnThread, type ThreadAnswer, type ThreadRequest } from '../src/worker/isolate/thread-task.ts';

/** What a worker thread runs: one item of a task that says `thread: true`. */
export const runOnThread = (request: ThreadRequest): Promise<ThreadAnswer> => answerOnThread(tasks, request, jsonLog);
