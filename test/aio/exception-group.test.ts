import { describe, expect, test } from 'vitest';
import { ExceptionGroup } from '../../src/aio/exception-group.ts';
import { thrownBy } from './support.ts';

class Crash extends Error {}
class Other extends Error {}

const tree = () =>
  new ExceptionGroup('outer', [
    new Crash('1'),
    new ExceptionGroup('inner', [new Other('2'), new Crash('3'), 'a string']),
    new ExceptionGroup('others', [new Other('4')]),
  ]);

/** The nested messages of a group. */
function messages(error: unknown): unknown {
  if (error instanceof ExceptionGroup) return error.errors.map(messages);
  return error instanceof Error ? error.message : error;
}

describe('ExceptionGroup', () => {
  test('is an AggregateError that counts its errors', () => {
    const group = tree();
    expect(group).toBeInstanceOf(AggregateError);
    expect([group.name, group.message, group.errors.length]).toEqual(['ExceptionGroup', 'outer (3 errors)', 3]);
  });

  test('refuses to be empty', () => {
    expect(thrownBy(() => new ExceptionGroup('empty', []))).toBeInstanceOf(RangeError);
  });

  test('is split by class, classes, or a function, with its nesting kept', () => {
    const parts = (match: Parameters<ExceptionGroup['split']>[0]) => tree().split(match).map(messages);
    expect(parts(Crash)).toEqual([
      ['1', ['3']],
      [['2', 'a string'], ['4']],
    ]);
    expect(parts([Crash, Other])).toEqual([['1', ['2', '3'], ['4']], [['a string']]]);
    expect(parts((error) => error === 'a string')).toEqual([[['a string']], ['1', ['2', '3'], ['4']]]);
    expect(parts(ExceptionGroup)).toEqual([messages(tree()), undefined]);
    expect(parts(RangeError)).toEqual([undefined, messages(tree())]);
  });

  test('gives the matching part alone, with message and cause', () => {
    const group = new ExceptionGroup('outer', [new Crash('1'), new Other('2')], { cause: 'why' });
    const part = group.subgroup(Crash);
    expect([messages(part), part?.message, part?.cause, part?.stack]).toEqual([
      ['1'],
      'outer (1 error)',
      'why',
      group.stack,
    ]);
    expect(group.subgroup(RangeError)).toBeUndefined();
  });

  test('yields its leaves in order', () => {
    expect([...tree().leaves()].map(messages)).toEqual(['1', '2', '3', 'a string', '4']);
  });
});
