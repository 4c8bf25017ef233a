import { tasks } from 'fanloop:tasks';
import { jsonLog } from '../adapters/system.ts';
import { answerOnThread, type ThreadAnswer, type ThreadRequest } from '../core/worker/thread-task.ts';

/** What a worker thread runs: one item of a task that says `thread: true`. */
export const runOnThread = (request: ThreadRequest): Promise<ThreadAnswer> => answerOnThread(tasks, request, jsonLog);
