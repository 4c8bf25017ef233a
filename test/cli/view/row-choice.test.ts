import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { chosenLines, type RowChoice } from '../../../src/cli/view/row-choice.ts';
import { parseJson, toJsonLines } from '../../../src/format/json.ts';
import type { Row } from '../../../src/format/outcome.ts';

const codes = ['HttpStatus404', 'Timeout', 'É'];
/** Texts that look like what the choice looks for. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constant('"status":"failed"'),
  fc.constant('{"index":0,"status":"failed"'),
);
const json = fc.oneof(fc.jsonValue(), text, fc.record({ status: fc.constantFrom('failed', 'succeeded'), value: text }));
const about = fc.record({ key: fc.oneof(text, fc.integer()), item: json }, { requiredKeys: [] });
const outcome = fc.oneof(
  fc.record({ status: fc.constant('succeeded'), value: json, attempts: fc.nat(), durationMs: fc.nat() }),
  fc.record({
    status: fc.constant('failed'),
    error: fc.record({ code: fc.constantFrom(...codes), message: text, retryable: fc.boolean() }),
    attempts: fc.nat(),
  }),
  fc.record({ status: fc.constant('cancelled'), attempts: fc.constant(0) }),
);
const rows = fc
  .array(fc.tuple(about, outcome))
  .map((all) => all.map(([said, ended], index) => ({ index, ...said, ...ended })));
const choices: fc.Arbitrary<RowChoice> = fc.oneof(
  fc.constant({ failed: true }),
  fc.constant({ succeeded: true }),
  fc.record({ code: fc.subarray(codes) }),
  fc.record({ code: fc.subarray(codes), failed: fc.constant(true) }),
  fc.record({ code: fc.subarray(codes), succeeded: fc.constant(true) }),
);

function isChosen(row: Row, { failed, succeeded, code }: RowChoice): boolean {
  if (failed === true && row.status !== 'failed') return false;
  if (succeeded === true && row.status !== 'succeeded') return false;
  return code === undefined || (row.status === 'failed' && code.includes(row.error.code));
}

describe('chosenLines', () => {
  it('picks what a look at each row picks, as it stands', () => {
    fc.assert(
      fc.property(rows, choices, (all, choice) => {
        const picked = chosenLines(choice)?.(Buffer.from(toJsonLines(all)));
        // Each is a row as the arbitraries make it.
        const expected = all.filter((row) => isChosen(parseJson(JSON.stringify(row)) as Row, choice));
        expect(Buffer.from(picked ?? []).toString()).toBe(toJsonLines(expected));
      }),
    );
  });

  it('parses no row that shows at its beginning, or nowhere, what is looked for', () => {
    const all = Array.from({ length: 50 }, (_, index) => ({ index, status: 'succeeded', value: index, attempts: 1 }));
    const keyed = all.map(({ index, ...row }) => ({ index, key: `k${index}`, ...row }));
    const parse = vi.spyOn(JSON, 'parse');
    const pick = (choice: RowChoice, of: readonly unknown[]) =>
      chosenLines(choice)?.(Buffer.from(toJsonLines(of))).length;
    expect(pick({ failed: true }, [...all, ...keyed])).toBe(0);
    expect(pick({ code: ['Timeout'] }, [...all, ...keyed])).toBe(0);
    expect(pick({ succeeded: true }, all)).toBe(toJsonLines(all).length);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('lets all rows through where none are asked for', () => {
    expect(chosenLines({})).toBeUndefined();
  });
});
