import type { Future } from './loop/future.ts';
import { wait } from './wait.ts';

/** Cancels those that have not ended and waits for them, also when it is itself cancelled meanwhile, which it then reports. */
export async function endTasks(tasks: readonly Future<unknown>[]): Promise<void> {
  let interruption: { readonly error: unknown } | undefined;
  for (const task of tasks) task.cancel();
  for (let left = tasks.filter((task) => !task.done()); left.length > 0; left = left.filter((task) => !task.done())) {
    try {
      await wait(left);
    } catch (error) {
      interruption = { error };
      for (const task of left) task.cancel();
    }
  }
  if (interruption !== undefined) throw interruption.error;
}
