import fc from 'fast-check';

/** A statement of the little language in which random programs are written; its meaning is in interpreter.ts. */
export type Statement =
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'raise' }
  | {
      readonly op: 'try';
      readonly body: Block;
      readonly catches: 'all' | 'cancelled' | 'timeout' | 'boom';
      readonly handler: Block;
      readonly rethrows: boolean;
      readonly last: Block;
    }
  | { readonly op: 'spawn' | 'groupSpawn' | 'shieldBody'; readonly body: Block }
  | { readonly op: 'join' | 'cancel' | 'cancelling' | 'shield'; readonly task: number }
  | { readonly op: 'uncancel' }
  | {
      readonly op: 'gather';
      readonly bodies: readonly Block[];
      readonly returnExceptions: boolean;
      readonly joins: boolean;
      readonly task: number;
    }
  | { readonly op: 'waitFor' | 'timeout'; readonly ms: number; readonly body: Block }
  | { readonly op: 'waitForTask'; readonly ms: number; readonly task: number }
  | { readonly op: 'reschedule'; readonly ms: number }
  | { readonly op: 'group'; readonly children: readonly Block[]; readonly body: Block }
  | { readonly op: 'wait'; readonly ms: number | null; readonly when: When }
  | { readonly op: 'asCompleted'; readonly ms: number | null; readonly bodies: readonly Block[] }
  | { readonly op: 'lock' | 'semaphore'; readonly which: number; readonly body: Block }
  | {
      readonly op: 'acquire' | 'release' | 'set' | 'clear' | 'waitEvent' | 'waitCondition' | 'barrier';
      readonly which: number;
    }
  | { readonly op: 'notify'; readonly which: number; readonly count: number; readonly body: Block }
  | { readonly op: 'put' | 'putNowait'; readonly which: number; readonly value: number }
  | { readonly op: 'get' | 'getNowait' | 'taskDone' | 'joinQueue'; readonly which: number }
  | { readonly op: 'shutdown'; readonly which: number; readonly immediate: boolean }
  | { readonly op: 'gatherSame'; readonly times: number; readonly body: Block; readonly concurrent: boolean }
  | { readonly op: 'asCompletedSame'; readonly times: number; readonly ms: number }
  | { readonly op: 'nestedGather'; readonly bodies: readonly Block[]; readonly cancelled: boolean }
  | { readonly op: 'setVar' | 'setStore'; readonly value: number; readonly body: Block }
  | { readonly op: 'readVars' }
  | { readonly op: 'callSoon'; readonly acts: readonly Act[] }
  | { readonly op: 'callLater'; readonly ms: number; readonly acts: readonly Act[] }
  | { readonly op: 'onDone'; readonly task: number; readonly acts: readonly Act[] }
  | { readonly op: 'usingGroup'; readonly children: readonly Block[]; readonly sleeps: readonly number[] }
  | { readonly op: 'looseGroup' }
  | { readonly op: 'exceptStar'; readonly body: Block; readonly clauses: readonly Clause[] }
  | { readonly op: 'sleepNone' };

/** What a callback does; it can wait for nothing in Python, so `nap` is a timer there and a sleep here. */
export type Act =
  | { readonly act: 'readVars' | 'raise' }
  | { readonly act: 'setVar'; readonly value: number }
  | { readonly act: 'spawn'; readonly body: Block }
  | { readonly act: 'nap'; readonly ms: number };

/** A clause of `except*`: which errors, and whether its handler raises. */
export interface Clause {
  readonly catches: 'timeout' | 'boom' | 'state' | 'value';
  readonly raises: boolean;
}

export type Block = readonly Statement[];
type When = 'firstCompleted' | 'firstException' | 'allCompleted';

/** Random programs: some tasks that run together, with small delays, so that much happens at the same instant. */
export const programs: fc.Arbitrary<Block> = fc
  .tuple(
    fc.array(fc.record({ op: fc.constant('spawn' as const), body: block(3) }), { maxLength: 4, size: 'max' }),
    fc.array(statement(4), { minLength: 2, maxLength: 7, size: 'max' }),
  )
  .map(([spawns, rest]) => [...spawns, ...rest]);

function block(depth: number): fc.Arbitrary<Block> {
  return fc.array(statement(depth), { minLength: 1, maxLength: depth === 0 ? 2 : 5, size: 'max' });
}

function statement(depth: number): fc.Arbitrary<Statement> {
  const which = fc.integer({ min: 0, max: 1 });
  const task = fc.integer({ min: 0, max: 7 });
  const ms = fc.constantFrom(0, 0, 1, 2, 3, 5);
  const limit = fc.constantFrom(null, 0, 1, 2, 5);
  const value = fc.integer({ min: 0, max: 9 });
  const op = <const O extends string>(...ops: O[]) => fc.constantFrom(...ops);
  const leaves: fc.WeightedArbitrary<Statement>[] = [
    { weight: 60, arbitrary: fc.record({ op: op('sleep'), ms }) },
    { weight: 7, arbitrary: fc.record({ op: op('raise') }) },
    { weight: 20, arbitrary: fc.record({ op: op('join', 'shield'), task }) },
    { weight: 40, arbitrary: fc.record({ op: op('cancel'), task }) },
    { weight: 10, arbitrary: fc.record({ op: op('cancelling'), task }) },
    { weight: 10, arbitrary: fc.record({ op: op('uncancel') }) },
    { weight: 10, arbitrary: fc.record({ op: op('waitForTask'), ms, task }) },
    { weight: 10, arbitrary: fc.record({ op: op('reschedule'), ms }) },
    {
      weight: 10,
      arbitrary: fc.record({ op: op('wait'), ms: limit, when: op('firstCompleted', 'firstException', 'allCompleted') }),
    },
    {
      weight: 30,
      arbitrary: fc.record({
        op: op('acquire', 'release', 'set', 'clear', 'waitEvent', 'waitCondition', 'barrier'),
        which,
      }),
    },
    { weight: 20, arbitrary: fc.record({ op: op('put', 'put', 'put', 'putNowait'), which, value }) },
    {
      weight: 20,
      arbitrary: fc.record({ op: op('get', 'get', 'get', 'get', 'getNowait', 'taskDone', 'joinQueue'), which }),
    },
    { weight: 3, arbitrary: fc.record({ op: op('shutdown'), which, immediate: fc.boolean() }) },
    { weight: 20, arbitrary: fc.record({ op: op('readVars') }) },
    { weight: 5, arbitrary: fc.record({ op: op('looseGroup', 'sleepNone') }) },
  ];
  if (depth === 0) return fc.oneof(...leaves);
  const body = block(depth - 1);
  const acts = fc.array(act(depth - 1), { minLength: 1, maxLength: 3 });
  const times = fc.integer({ min: 0, max: 4 });
  const bodies = fc.array(body, { maxLength: 3 });
  return fc.oneof(
    ...leaves,
    { weight: 60, arbitrary: fc.record({ op: op('spawn'), body }) },
    { weight: 10, arbitrary: fc.record({ op: op('groupSpawn', 'shieldBody'), body }) },
    {
      weight: 50,
      arbitrary: fc.record({
        op: op('try'),
        body,
        catches: op('all', 'cancelled', 'cancelled', 'timeout', 'boom'),
        handler: fc.array(statement(depth - 1), { maxLength: 2 }),
        rethrows: fc.boolean(),
        last: fc.array(statement(depth - 1), { maxLength: 2 }),
      }),
    },
    {
      weight: 20,
      arbitrary: fc.record({ op: op('gather'), bodies, returnExceptions: fc.boolean(), joins: fc.boolean(), task }),
    },
    { weight: 30, arbitrary: fc.record({ op: op('waitFor', 'timeout'), ms, body }) },
    { weight: 40, arbitrary: fc.record({ op: op('group'), children: bodies, body }) },
    { weight: 10, arbitrary: fc.record({ op: op('asCompleted'), ms: limit, bodies }) },
    { weight: 10, arbitrary: fc.record({ op: op('gatherSame'), times, body, concurrent: fc.boolean() }) },
    { weight: 5, arbitrary: fc.record({ op: op('asCompletedSame'), times, ms }) },
    { weight: 10, arbitrary: fc.record({ op: op('nestedGather'), bodies, cancelled: fc.boolean() }) },
    { weight: 20, arbitrary: fc.record({ op: op('setVar', 'setStore'), value, body }) },
    { weight: 15, arbitrary: fc.record({ op: op('callSoon'), acts }) },
    { weight: 15, arbitrary: fc.record({ op: op('callLater'), ms, acts }) },
    { weight: 15, arbitrary: fc.record({ op: op('onDone'), task, acts }) },
    {
      weight: 20,
      arbitrary: fc.record({ op: op('usingGroup'), children: bodies, sleeps: fc.array(ms, { maxLength: 3 }) }),
    },
    {
      weight: 20,
      arbitrary: fc.record({
        op: op('exceptStar'),
        body,
        clauses: fc.array(fc.record({ catches: op('timeout', 'boom', 'state', 'value'), raises: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
    },
    { weight: 30, arbitrary: fc.record({ op: op('lock', 'semaphore'), which, body }) },
    { weight: 10, arbitrary: fc.record({ op: op('notify'), which, count: fc.integer({ min: 1, max: 3 }), body }) },
  );
}

function act(depth: number): fc.Arbitrary<Act> {
  const kind = <const A extends string>(...acts: A[]) => fc.constantFrom(...acts);
  const value = fc.integer({ min: 0, max: 9 });
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: kind('readVars') }) },
    { weight: 1, arbitrary: fc.record({ act: kind('raise') }) },
    { weight: 2, arbitrary: fc.record({ act: kind('setVar'), value }) },
    { weight: 3, arbitrary: fc.record({ act: kind('spawn'), body: block(Math.max(0, depth - 1)) }) },
    { weight: 3, arbitrary: fc.record({ act: kind('nap'), ms: fc.constantFrom(1, 2, 3, 5) }) },
  );
}
