import type { Mutation } from './mutations.ts';

const storms = 'test/worker/gate.test.ts';
const random = 'test/worker/refused-at-random.test.ts';
const jobs = 'test/job/refusals.test.ts';

/** What the brake learns, and from whom. */
export const brakeMutations: readonly Mutation[] = [
  {
    name: 'brake: quiet times teach nothing of what is refused always',
    file: 'src/worker/refused-always.ts',
    find: 'else if (this.#quiet.calls > 0 && !isQuiet(now)) this.#learn();',
    replace: 'else if (this.#quiet.calls > 0 && !isQuiet(now)) this.restart();\n    void this.#learn;',
    test: storms,
  },
  {
    name: 'brake: a cut in vain teaches nothing of it',
    file: 'src/worker/brake.ts',
    find: 'this.#refusals.always.atLeast(seen);',
    replace: 'void seen;',
    test: random,
  },
  {
    name: 'brake: no cut is in vain',
    file: 'src/worker/cut-trial.ts',
    find: "if (this.#depth === deeper) return 'vain';",
    replace: "if (this.#depth === deeper) return 'helped';",
    test: random,
  },
  {
    name: 'brake: a cut is in vain before a deeper one was',
    file: 'src/worker/brake.ts',
    find: 'const deeper = this.#hasHelped ? 2 : 1;',
    replace: 'const deeper = 0;',
    test: storms,
  },
  {
    name: 'brake: what was learned to be refused always stays so',
    file: 'src/worker/refused-always.ts',
    find: 'if (this.#isLearned) this.#part = Math.min(this.#part, mostPart(calls));',
    replace: 'void mostPart(calls);',
    test: random,
  },
  {
    name: 'brake: the pace is not what it was before a cut in vain',
    file: 'src/worker/brake.ts',
    find: 'this.#perSecond = Math.max(this.#perSecond, pace);',
    replace: 'void pace;',
    test: random,
  },
  {
    name: 'brake: what succeeded at a cut is forgotten',
    file: 'src/worker/taken-pace.ts',
    find: '    this.perSecond = succeeded;\n',
    replace: '',
    test: storms,
  },
  {
    name: 'brake: a pace that was refused twice is tried as soon as another',
    file: 'src/worker/taken-pace.ts',
    find: 'isSame ? Math.min(longestCalmMs, 2 * this.#calmMs) : calmMs',
    replace: 'isSame ? calmMs : Math.min(calmMs, longestCalmMs)',
    test: 'test/worker/taken-pace.test.ts',
  },
  {
    name: 'brake: after a second cut more is tried as after a first one',
    file: 'src/worker/taken-pace.ts',
    find: 'this.#isAgain = sinceCutMs < carefulForMs;',
    replace: 'this.#isAgain = sinceCutMs < 0;',
    test: 'test/worker/taken-pace.test.ts',
  },
  {
    name: 'brake: few refusals cut nothing in quiet times',
    file: 'src/worker/refusals.ts',
    find: 'if (!isQuiet(now)) return false;',
    replace: 'if (!isQuiet(now) || calls >= 0) return false;',
    test: 'test/worker/refusals.test.ts',
  },
  {
    name: 'brake: a successor starts without the pace of its predecessor',
    file: 'src/worker/pace.ts',
    find: 'else if (brakedTo !== undefined) this.gate.inheritBrake(now, brakedTo);',
    replace: 'else void brakedTo;',
    test: jobs,
  },
  {
    name: 'brake: to inherit a pace changes nothing',
    file: 'src/worker/brake.ts',
    find: '    this.#perSecond = Math.max(floorPerSecond, perSecond);\n',
    replace: '    if (perSecond > 0) return;\n',
    test: jobs,
  },
  {
    name: 'brake: the note of a seat says nothing of the pace',
    file: 'src/worker/seat-content.ts',
    find: '? { brakedTo: brakedTo / among }',
    replace: '? {}',
    test: jobs,
  },
];
