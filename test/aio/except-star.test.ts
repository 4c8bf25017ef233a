import { describe, expect, test } from 'vitest';
import { type ErrorMatch, ExceptionGroup, exceptStar } from '../../src/aio/index.ts';
import { errorOf } from './support.ts';

class First extends Error {}
class Second extends Error {}

const tree = () =>
  new ExceptionGroup('outer', [new First('1'), new ExceptionGroup('inner', [new Second('2'), new First('3')])]);
const shape = (error: unknown): unknown =>
  error instanceof ExceptionGroup ? error.errors.map(shape) : (error as Error).message;
const nothing = () => {};

describe('exceptStar', () => {
  test('gives each clause its errors with their nesting, and throws what is left', async () => {
    const seen: unknown[] = [];
    const rest = await errorOf(exceptStar(tree(), [First, (group) => void seen.push(shape(group))]));
    expect([seen, shape(rest)]).toEqual([[['1', ['3']]], [['2']]]);
    await exceptStar(tree(), [First, nothing], [[Second], (group) => void seen.push(shape(group))]);
    expect(seen[1]).toEqual([['2']]);
  });

  test('gives an error to the first clause that wants it', async () => {
    const seen: unknown[] = [];
    await exceptStar(tree(), [Error, (group) => void seen.push(shape(group))], [First, () => void seen.push('again')]);
    expect(seen).toEqual([['1', ['2', '3']]]);
  });

  test('handles a single error as a group of one, and throws it as it is when nobody wants it', async () => {
    const seen: unknown[] = [];
    await exceptStar(new First('1'), [First, (group) => void seen.push(shape(group))]);
    expect(seen).toEqual([['1']]);
    for (const error of [new Second(), 'a string', undefined, tree()])
      expect(await errorOf(exceptStar(error, [RangeError, nothing]))).toBe(error);
  });

  test('collects what handlers throw together with what is left', async () => {
    const failing = exceptStar(tree(), [
      First,
      async () => {
        throw new Error('handler');
      },
    ]);
    expect(shape(await errorOf(failing))).toEqual(['handler', [['2']]]);
    const single = exceptStar(new First('1'), [First, () => Promise.reject(new Error('handler'))]);
    expect(shape(await errorOf(single))).toBe('handler');
  });

  test('lets a handler throw its group again', async () => {
    const again: [ErrorMatch, (group: ExceptionGroup) => void] = [
      First,
      (group) => {
        throw group;
      },
    ];
    const error = tree();
    expect(await errorOf(exceptStar(error, again))).toBe(error);
    expect(shape(await errorOf(exceptStar(tree(), again, [Second, nothing])))).toEqual(['1', ['3']]);
  });

  test('handles the two errors of a SuppressedError', async () => {
    const seen: unknown[] = [];
    const both = new SuppressedError(tree(), new Second('body'));
    await exceptStar(both, [Second, (group) => void seen.push(shape(group))], [First, nothing]);
    expect(seen).toEqual([['body', [['2']]]]);
  });
});
