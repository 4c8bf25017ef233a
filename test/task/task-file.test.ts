import { describe, expect, it } from 'vitest';
import { nameOfTaskFile, placeOf } from '../../src/task/task-file.ts';

describe('placeOf', () => {
  it.each([
    ['    at file:///home/me/p/tasks/look-up.ts:3:21', 'file:///home/me/p/tasks/look-up.ts'],
    ['    at async file:///home/me/my%20p/tasks/look-up.ts:3:21', 'file:///home/me/my p/tasks/look-up.ts'],
    ['    at Object.<anonymous> (/home/me/p/tasks/look-up.cjs:3:21)', '/home/me/p/tasks/look-up.cjs'],
    ['    at file:///C:/p/tasks/look-up.mts?t=17:3:21', 'file:///C:/p/tasks/look-up.mts'],
  ])('finds the file of %s', (frame, file) => {
    expect(placeOf(frame)).toEqual({ file });
  });

  it.each([
    '',
    '    at <anonymous>',
    '    at new Promise (<anonymous>)',
    '    at node:internal/modules/run_main:107:5',
  ])('finds none in "%s"', (frame) => {
    expect(placeOf(frame)).toEqual({});
  });
});

describe('nameOfTaskFile', () => {
  it.each([
    ['file:///home/me/p/tasks/look-up.ts', 'look-up'],
    ['/home/me/tasks/p/tasks/users/look-up.mjs', 'users/look-up'],
    ['/home/me/p/jobs/look-up.js', 'look-up'],
  ])('takes the name of %s', (file, name) => {
    expect(nameOfTaskFile(file)).toBe(name);
  });
});
