import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const program = path.resolve(import.meta.dirname, 'harmed-process.ts');

/** Runs the program to its end: what it said, and how it ended. */
async function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { lines: said.trim().split('\n'), code, signal };
}

describe('an item that does harm to its process', () => {
  it.each([
    ['exit', 'WorkerCrashed', /called process\.exit\(3\)/],
    ['abort', 'WorkerCrashed', /called process\.abort\(\)/],
    ['signal', 'WorkerCrashed', /called process\.kill\(\d+, SIGKILL\)/],
    ['group', 'WorkerCrashed', /called process\.kill\(0, SIGKILL\)/],
    ['timer', 'WorkerCrashed', /threw an exception that nobody caught: Error: a bomb/],
    ['rejection', 'UnhandledRejection', /rejected a promise that nobody handled: Error: a bomb/],
  ])('is charged with it when it does so by %s, as %s, and the other one answers', async (how, code, what) => {
    const { lines, ...end } = await run(how);
    expect(lines).toEqual([expect.stringMatching(what), 'answered job/2']);
    expect(lines[0]).toMatch(new RegExp(`^charged job/1 ${code} the task "harm" `));
    expect(end).toEqual({ code: 0, signal: null });
  });

  it('takes the process with it when it does so for ever', async () => {
    const { lines, ...end } = await run('interval');
    expect(lines.filter((line) => line.startsWith('charged job/1 WorkerCrashed')).length).toBe(10);
    expect(end).toEqual({ code: 129, signal: null });
  });

  it('is not charged with an exception once it has ended, since what it opened may be others’: the process ends', async () => {
    const { lines, ...end } = await run('late');
    expect(lines).toEqual(['']);
    expect(end).toEqual({ code: 129, signal: null });
  });

  it('is told from what is nobody’s: then the process ends as it would', async () => {
    await expect(run('exit', 'outside')).resolves.toMatchObject({ code: 3 });
    await expect(run('timer', 'outside')).resolves.toMatchObject({ code: 129 });
    await expect(run('signal', 'outside')).resolves.toMatchObject({ signal: 'SIGKILL' });
  });

  it('is charged when it blocks the loop for ever, and what is left is stored before the process ends for it', async () => {
    const { lines, ...end } = await run('loop');
    expect(lines).toEqual([
      expect.stringMatching(/^charged job\/1 LoopBlocked the task "harm" let nobody else run for \d/),
      'stored true',
      expect.stringContaining('the event loop was blocked'),
    ]);
    expect(end).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
