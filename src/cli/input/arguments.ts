import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';
import type { Task } from '../../task/task.ts';
import { checkItem } from './check-item.ts';

/**
 * Reads an item given as an argument to one line of JSON: JSON is taken as it is, unless only its plain text fits the task.
 *
 * @throws UsageError `InvalidItem` when neither fits, `ItemTooLarge` when it is over 1 MiB, and as {@link checkItem}
 */
export async function readArgument(
  argument: string,
  place: { readonly number: number; readonly task: Task },
): Promise<string> {
  const { number, task } = place;
  const bytes = Buffer.byteLength(argument);
  if (bytes > limits.maxItemBytes) {
    throw new UsageError('ItemTooLarge', `item ${number}: expected at most ${limits.maxItemBytes} bytes, got ${bytes}`);
  }
  const value = parseJson(argument);
  const asJson = value === undefined ? undefined : await checkItem(task, value.json, `item ${number}`);
  // Line ends in JSON are only ever white space between tokens, and an item is one line.
  if (asJson?.ok === true) return argument.replaceAll(/[\r\n]/g, ' ');
  const asText = await checkItem(task, argument, `item ${number}`);
  if (asText.ok) return JSON.stringify(argument);
  throw new UsageError('InvalidItem', `item ${number}: ${(asJson ?? asText).problem}`);
}

function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
