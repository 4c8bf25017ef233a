import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { traceOf } from './interpreter.ts';
import { programs } from './program.ts';
import { findPython, PythonTraces } from './python.ts';

/** `AIO_PROGRAMS` and `AIO_SEED` run more programs, or the same ones again. */
const numRuns = Number(process.env['AIO_PROGRAMS'] ?? 600);
const seed = Number(process.env['AIO_SEED'] ?? Date.now() % 1_000_000_000);

const found = findPython();
const reason = found === undefined ? ' (skipped: no Python 3.13 or newer in PATH or under pyenv)' : '';

describe.skipIf(found === undefined)(`random programs against CPython's asyncio${reason}`, () => {
  let python: PythonTraces;
  beforeAll(() => {
    python = new PythonTraces(found ?? 'python3');
  });
  afterAll(() => python.close());

  test(`${numRuns} programs of seed ${seed} leave the same traces`, { timeout: 300_000 }, async () => {
    console.info(`seed ${seed}: AIO_SEED=${seed} runs these programs again`);
    const same = fc.asyncProperty(programs, async (program) => {
      expect(await traceOf(program)).toEqual(await python.traceOf(program));
    });
    await fc.assert(same, { numRuns, seed });
  });
});
