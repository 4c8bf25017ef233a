/**
 * asyncio's verbs on Node's loop: the one face of this folder. See docs/asyncio.md.
 *
 * @module fanloop/aio
 */
export { type AsCompletedOptions, asCompleted, type Completed } from './as-completed.ts';
export { Barrier } from './barrier.ts';
export { BoundedSemaphore } from './bounded-semaphore.ts';
export { Condition } from './condition.ts';
export { createTask } from './create-task.ts';
export { currentDeadline } from './current-deadline.ts';
export { type Awaitable, ensureFuture, type ResultOf } from './ensure-future.ts';
export { Event } from './event.ts';
export { type ExceptClause, exceptStar } from './except-star.ts';
export { type ErrorMatch, ExceptionGroup } from './exception-group.ts';
export { type GatherOptions, gather, type Results, type Settled } from './gather.ts';
export { LifoQueue } from './lifo-queue.ts';
export { Lock } from './lock.ts';
export { type Clock, systemClock } from './loop/clock.ts';
export type { Context } from './loop/context.ts';
export { type ContextToken, type ContextVar, contextVar, copyContext } from './loop/context-var.ts';
export { currentLoop } from './loop/current-loop.ts';
export { allTasks, currentTask } from './loop/current-task.ts';
export {
  BrokenBarrierError,
  CancelledError,
  InterruptedError,
  InvalidStateError,
  isCancellation,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  TimeoutError,
} from './loop/errors.ts';
export { Future } from './loop/future.ts';
export type { Handle } from './loop/handle.ts';
export type { CallbackOptions, Loop } from './loop/loop.ts';
export type { WaitOptions } from './loop/park.ts';
export type { Body, Task, TaskOptions } from './loop/task.ts';
export { TimeoutScope } from './loop/timeout-scope.ts';
export type { SlowCallback, UnhandledError } from './loop/turns.ts';
export { type MapOptions, map } from './map.ts';
export { type MovedOn, moveOnAfter } from './move-on-after.ts';
export { PriorityQueue } from './priority-queue.ts';
export { Queue, type QueueItems } from './queue.ts';
export { type RunOptions, run } from './run.ts';
export { Semaphore } from './semaphore.ts';
export { shield } from './shield.ts';
export { sleep } from './sleep.ts';
export { TaskGroup, taskGroup } from './task-group.ts';
export { type TimedBody, timeout, timeoutAt } from './timeout.ts';
export { type ThreadPool, type ThreadRunOptions, type ToThreadOptions, toThread } from './to-thread.ts';
export { until } from './until.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type Waited, type WaitForOptions, wait } from './wait.ts';
export { waitFor } from './wait-for.ts';
export { withSignal } from './with-signal.ts';
