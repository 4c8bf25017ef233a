import * as z from 'zod';
import {
  type Attributes,
  type Document,
  type DocumentFormat,
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

const document = z.custom<Document>(isDocument, 'expected an object');

const request = z
  .strictObject(
    {
      get: document.meta(anyNames).optional(),
      put: document.meta(anyNames).optional(),
      delete: document.meta(anyNames).optional(),
      consistent: z.boolean('expected true or false').default(false),
      format: z
        .enum(['plain', 'dynamodb'], 'expected plain, or dynamodb for DynamoDB\'s own JSON: {"pk": {"S": "user#1"}}')
        .default('plain'),
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
    const problem = problemOf(verb, item[verb] ?? {}, item);
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
    const options = { table: item.table, format: item.format, signal };
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

function problemOf(
  verb: 'get' | 'put' | 'delete',
  value: Document,
  { format, table }: { readonly format: DocumentFormat; readonly table?: string | undefined },
): string | undefined {
  let attributes: Attributes;
  try {
    attributes = encodeDocument(value, format);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  const bytes = itemBytes(attributes);
  if (bytes > maxItemBytes) return `expected at most ${maxItemBytes} bytes, as DynamoDB counts them, got ${bytes}`;
  const names = Object.keys(attributes).length;
  if (verb !== 'put' && (names < 1 || names > 2))
    return `expected one or two names, those of the table's key, got ${names}`;
  if (table !== undefined) return undefined;
  return keyProblem(attributes, 'pk', maxPkBytes) ?? keyProblem(attributes, 'sk', maxSkBytes);
}

function keyProblem(attributes: Attributes, name: 'pk' | 'sk', maxBytes: number): string | undefined {
  const given = attributes[name]?.S;
  if (given === undefined || given === '') {
    return `expected ${name} to be a text, since the stack's own table has the key pk and sk; name another by table`;
  }
  const bytes = Buffer.byteLength(given);
  return bytes > maxBytes ? `expected ${name} of at most ${maxBytes} bytes, got ${bytes}` : undefined;
}
