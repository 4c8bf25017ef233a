import * as z from 'zod';
import { recordFormat } from './record.ts';

/** `indexes-….json`: which items of its job a pass runs again, ascending; written as the steps from one to the next. */
export interface IndexList {
  readonly v: 1;
  readonly steps: readonly number[];
}

export const indexListFormat = recordFormat<IndexList>(
  'a list of indexes',
  1,
  // Of millions of numbers each is checked by one loop, not by a schema of its own.
  () => z.looseObject({ v: z.literal(1).default(1), steps: z.custom<readonly number[]>(areSteps) }),
);

function areSteps(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isInteger);
}

/** Ascending indexes as steps. */
export function stepsOf(indexes: readonly number[]): number[] {
  return indexes.map((index, i) => index - (indexes[i - 1] ?? 0));
}

/** The indexes that steps lead to. */
export function indexesOf(steps: readonly number[]): number[] {
  let index = 0;
  return steps.map((step) => {
    index += step;
    return index;
  });
}
