import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const jumpingTime = path.resolve(import.meta.dirname, 'support/jumping-time.ts');
const folder = path.resolve(import.meta.dirname, '../examples');

/** What each example prints, with whole seconds since its beginning. */
const outputs: Readonly<Record<string, string>> = {
  '01-sequential.ts': `
0 s  started
1 s  Hello
3 s  World
3 s  finished`,
  '02-concurrent.ts': `
0 s  started
1 s  Hello
2 s  World
2 s  finished`,
  '03-gather.ts': `
1 s  Hello
2 s  World
2 s  WORLD, HELLO
3 s  call 3
4 s  call 2
5 s  call 1
5 s  one at a time: 3 s more`,
  '04-task-group.ts': `
1 s  small: done
2 s  large: cancelled, tidying up
2 s  RangeError: the disk is full`,
  '05-timeout.ts': `
1 s  timed out after 1 s
2 s  moved on after 1 s more, without an error
3 s  a scope can be given another deadline, or none`,
  '06-semaphore.ts': `
1 s  call 1
1 s  call 2
2 s  call 3
2 s  call 4
3 s  call 5
3 s  call 6`,
  '07-queue.ts': `
0 s  put 1
0 s  put 2
1 s  worked on 1
1 s  put 3
2 s  worked on 2
2 s  put 4
3 s  worked on 3
4 s  worked on 4
4 s  all done`,
  '08-threads.ts': `
on the loop: 148933 primes, and the ticker stood still
on a thread: 148933 primes, and the ticker went on`,
  '09-job.ts': `
50 messages, from "Hello 0" to "Hello 49"
50 messages, from "Hello 0" to "Hello 49"`,
};

it('has an expected output for every example', async () => {
  const examples = (await readdir(folder)).filter((name) => /^\d/.test(name));
  expect(examples.sort()).toEqual(Object.keys(outputs));
});

it.concurrent.for(Object.entries(outputs))(
  'prints what %s promises',
  async ([name, output], { expect: expectHere }) => {
    // Those that print times have them on a clock of their own: a busy machine would be late.
    const early = / s {2}/.test(output) ? ['--import', jumpingTime] : [];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...early, path.join(folder, name)]);
    expectHere(stderr).toBe('');
    expectHere(stdout.trimEnd()).toBe(output.trimStart());
  },
);
