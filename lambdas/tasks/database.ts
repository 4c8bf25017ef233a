import { z } from 'zod';
import {
  type Document,
  encodeDocument,
  isDocument,
  itemBytes,
  maxItemBytes,
} from '../../src/connectors/dynamodb/value.ts';
import { limits } from '../../src/limits.ts';
import { defineTask } from '../../src/task/task.ts';

/** Largest values of the two keys. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxPkBytes = 2_048;
const maxSkBytes = 1_024;

/** Shown by `--help`: a schema that takes any object has no properties to name. */
const anyNames = { type: 'object', additionalProperties: {} } as const;

const document = z.custom<Document>(isDocument, 'expected an object').superRefine((value, context) => {
  const problem = problemOf(() => {
    const bytes = itemBytes(encodeDocument(value));
    return bytes > maxItemBytes ? `expected at most ${maxItemBytes} bytes, as DynamoDB counts them, got ${bytes}` : '';
  });
  if (problem !== '') context.addIssue({ code: 'custom', message: problem });
});

const key = document.superRefine((value, context) => {
  const names = Object.keys(value).length;
  if (names < 1 || names > 2) {
    context.addIssue({ code: 'custom', message: `expected one or two names, those of the table's key, got ${names}` });
  }
});

const request = z
  .strictObject(
    {
      get: key.meta(anyNames).optional(),
      put: document.meta(anyNames).optional(),
      delete: key.meta(anyNames).optional(),
      consistent: z.boolean('expected true or false').default(false),
      table: z
        .string('expected the name of a table')
        .regex(/^[a-zA-Z0-9_.-]{3,255}$/, 'expected the name of a table: 3 to 255 letters, digits, or any of _.-')
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'invalid_type'
          ? 'expected an object with get, put, or delete: {"get": {"pk": "user#1", "sk": "profile"}}'
          : undefined,
    },
  )
  .superRefine((item, context) => {
    const verbs = (['get', 'put', 'delete'] as const).filter((name) => item[name] !== undefined);
    const [verb] = verbs;
    if (verb === undefined || verbs.length > 1) {
      context.addIssue({
        code: 'custom',
        message: `expected one of get, put, and delete, got ${verbs.join() || 'none'}`,
      });
      return;
    }
    if (item.consistent && verb !== 'get') {
      context.addIssue({ code: 'custom', path: ['consistent'], message: 'expected none, since only get reads' });
    }
    if (item.table !== undefined) return;
    const value = item[verb] ?? {};
    const problem =
      keyProblem(value, 'pk', maxPkBytes) ??
      keyProblem(value, 'sk', maxSkBytes) ??
      (verb !== 'put' && Object.keys(value).length > 2 ? 'expected pk and sk only' : undefined);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [verb], message: problem });
  });

/** Reads or writes one item of a DynamoDB table by its key; items that run at the same time share batches. */
export const task = defineTask({
  description: "Gets, puts, or deletes an item of the stack's DynamoDB table, or of another, in batches",
  input: request,
  example: { put: { pk: 'user#1', sk: 'profile', name: 'Ada', langs: ['en', 'fr'] } },
  maxValueBytes: limits.maxValueBytes,
  run: async (item, { signal }) => {
    // The DynamoDB client is heavy, and the command line reads this file for its schema alone.
    const { taskTables } = await import('../../src/connectors/dynamodb/tables.ts');
    const options = { table: item.table, signal };
    if (item.put !== undefined) {
      await taskTables().put(item.put, options);
      return { put: true };
    }
    if (item.delete !== undefined) {
      await taskTables().delete(item.delete, options);
      return { deleted: true };
    }
    const found = await taskTables().get(item.get ?? {}, { ...options, consistent: item.consistent });
    return { item: found ?? null };
  },
});

function keyProblem(value: Document, name: 'pk' | 'sk', maxBytes: number): string | undefined {
  const given = value[name];
  if (typeof given !== 'string' || given === '') {
    return `expected ${name} to be a text, since the stack's own table has the key pk and sk; name another by table`;
  }
  const bytes = Buffer.byteLength(given);
  return bytes > maxBytes ? `expected ${name} of at most ${maxBytes} bytes, got ${bytes}` : undefined;
}

function problemOf(check: () => string): string {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
