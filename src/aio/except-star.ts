import { type ErrorMatch, ExceptionGroup, predicateOf } from './exception-group.ts';
import { isCancellation } from './loop/errors.ts';

/** Which errors, and what to do with them: the handler gets them as a group, with their nesting kept. */
export type ExceptClause = readonly [match: ErrorMatch, handler: (group: ExceptionGroup) => PromiseLike<void> | void];

/**
 * Python's `except*`: gives each clause, in order, the errors of a group that it wants and no clause before it took, and
 * throws what is left: `catch (error) { await exceptStar(error, [RangeError, (group) => log(group)]); }`
 *
 * An error that is no group is handled as a group of one, and thrown as it is when no clause wants it. What handlers throw
 * comes out in a group together with what is left, or as it is when it is all there is; a handler that throws the group it got leaves those errors as they were.
 * The two errors of a SuppressedError are handled as a group; a cancellation among them is left out, since it is delivered
 * again at the next wait. Difference to Python: a function, so a handler cannot return
 * from the function around it.
 *
 * @throws what no clause took, and what the handlers threw.
 */
export async function exceptStar(error: unknown, ...clauses: readonly ExceptClause[]): Promise<void> {
  const whole = groupOf(error);
  const unhandled = new Set<unknown>(whole.leaves());
  const raised: unknown[] = [];
  let rest: ExceptionGroup | undefined = whole;
  for (const [match, handler] of clauses) {
    const [matching, others]: readonly [ExceptionGroup | undefined, ExceptionGroup | undefined] =
      rest === undefined ? [undefined, undefined] : rest.split(leavesThat(match));
    rest = others;
    if (matching === undefined) continue;
    try {
      await handler(matching);
      for (const leaf of matching.leaves()) unhandled.delete(leaf);
    } catch (failure) {
      if (failure === matching) continue;
      for (const leaf of matching.leaves()) unhandled.delete(leaf);
      raised.push(failure);
    }
  }
  if (raised.length === 0 && unhandled.size === [...whole.leaves()].length) throw error;
  const left = whole.subgroup((leaf) => unhandled.has(leaf));
  const parts = left === undefined ? raised : [...raised, left];
  if (parts.length > 1) throw new ExceptionGroup('', parts);
  for (const only of parts) throw only;
}

/** A clause wants errors, not the groups around them, so that a class of all errors does not take a group as one. */
function leavesThat(match: ErrorMatch): (error: unknown) => boolean {
  const matches = predicateOf(match);
  return (error) => !(error instanceof ExceptionGroup) && matches(error);
}

function groupOf(error: unknown): ExceptionGroup {
  if (error instanceof ExceptionGroup) return error;
  if (error instanceof SuppressedError && isCancellation(error.suppressed)) return groupOf(error.error);
  if (error instanceof SuppressedError) return new ExceptionGroup('', [error.suppressed, error.error]);
  return new ExceptionGroup('', [error]);
}
