import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { schemaShape } from '../../../src/cli/view/schema-shape.ts';
import { shellQuote } from '../../../src/cli/view/task-help.ts';

describe('schemaShape', () => {
  it.each<[z.ZodType, string]>([
    [z.string(), 'string'],
    [z.int(), 'integer'],
    [z.number().min(1).max(5), 'number 1 to 5'],
    [z.union([z.string(), z.object({ id: z.int().min(0) })]), 'string | {\n  id: integer from 0\n}'],
    [z.array(z.enum(['a', 'b'])), '("a" | "b")[]'],
    [z.array(z.string()), 'string[]'],
    [z.record(z.string(), z.string()), '{ [name]: string }'],
    [z.object({}), '{ … }'],
    [
      z.object({ a: z.object({ b: z.literal(1).optional() }), c: z.string().default('x') }),
      '{\n  a: {\n    b?: 1\n  }\n  c?: string = "x"\n}',
    ],
    [z.unknown(), 'any'],
    [z.date(), 'any'],
  ])('writes %# as a type', (schema, shape) => {
    expect(schemaShape(schema)).toBe(shape);
  });

  it('is silent about a schema that cannot describe itself', () => {
    const schema: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
    expect(schemaShape(schema)).toBeUndefined();
  });
});

describe('shellQuote', () => {
  it.each([
    ['https://example.com/items?a=b', "'https://example.com/items?a=b'"],
    ['plain-1.txt', 'plain-1.txt'],
    [`it's`, `'it'\\''s'`],
    ['', "''"],
  ])('quotes %s', (text, quoted) => {
    expect(shellQuote(text)).toBe(quoted);
  });
});
