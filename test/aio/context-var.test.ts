import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { gather } from '../../src/aio/gather.ts';
import { contextVar, copyContext } from '../../src/aio/loop/context-var.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { program, thrownBy } from './support.ts';

describe('contextVar', () => {
  test(
    'keeps a value for each task, started with a copy of its creator [test_context_1, test_context_2, test_context_3]',
    program(async () => {
      const variable = contextVar('variable', { default: 'nope' });
      expect(variable.get()).toBe('nope');
      variable.set('something');
      const child = createTask(async () => {
        expect(variable.get()).toBe('something');
        variable.set('else');
        await sleep(1);
        return variable.get();
      });
      variable.set('mine');
      expect([await child, variable.get()]).toEqual(['something', 'mine'].with(0, 'else'));
    }),
  );

  test(
    'is not mixed up between tasks that take turns [test_context_2]',
    program(async () => {
      const variable = contextVar<number>('variable');
      const counting = (start: number) => async () => {
        variable.set(start);
        for (let step = 1; step <= 10; step += 1) {
          await sleep(start % 3);
          expect(variable.get()).toBe(start + step - 1);
          variable.set(start + step);
        }
        return variable.get();
      };
      expect(await gather([counting(100), counting(201), counting(302)])).toEqual([110, 211, 312]);
    }),
  );

  test(
    'takes the context a task is given [test_context_4, test_context_5, test_context_6, test_get_context]',
    program(async () => {
      const variable = contextVar<number>('variable');
      const context = copyContext();
      const task = createTask(() => void variable.set(7), { context });
      await task;
      expect([task.context === context, context.get(variable)]).toEqual([true, 7]);
      expect(thrownBy(() => variable.get())).toBeInstanceOf(ReferenceError);
    }),
  );

  test(
    'goes back to the value before',
    program(async () => {
      const variable = contextVar<number | undefined>('variable');
      const first = variable.set(undefined);
      const second = variable.set(2);
      variable.reset(second);
      expect(variable.get()).toBeUndefined();
      variable.reset(first);
      expect(thrownBy(() => variable.get())).toBeInstanceOf(ReferenceError);
    }),
  );
});
