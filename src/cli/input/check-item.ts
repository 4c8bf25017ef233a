import { UsageError } from '../../task/errors.ts';
import { type Parsed, type Task, tryItem } from '../../task/task.ts';

/** A schema may ask somebody else. One that waits longer is taken to wait for what never comes: the command would do so, too. */
const answerMs = 10_000;

/**
 * Checks an item, without waiting where the schema does not.
 *
 * @param place how a person finds the item, as `item 3`
 * @throws UsageError `UnknownTask` when the schema does not answer
 */
export function checkItem(task: Task, item: unknown, place: string): Parsed | Promise<Parsed> {
  const parsed = tryItem(task, item);
  return parsed instanceof Promise ? answered(parsed, place) : parsed;
}

function answered(parsed: Promise<Parsed>, place: string): Promise<Parsed> {
  return new Promise((resolve, reject) => {
    // Node would end the process where nothing else is waited for.
    const timer = setTimeout(() => {
      const wait = `expected the task's schema to answer within ${answerMs / 1_000} s`;
      reject(new UsageError('UnknownTask', `${place}: ${wait}, got an await that does not end`));
    }, answerMs);
    parsed.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
