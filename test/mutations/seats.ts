/**
 * `node test/mutations/seats.ts`: breaks the rules of seats in a copy, one after another, and shows which simulated run notices.
 * `--seeds 40`: runs that each broken copy has to survive; `--only TEXT`: rules whose name has the text.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutations.ts';

const mutations: readonly Mutation[] = [
  {
    name: 'raise without a wait',
    file: 'src/format/share.ts',
    find: 'at.sinceSeenMs < settledMs(old, table, at.timeoutMs) && takesFromKnown(table, old)',
    replace: 'at.sinceSeenMs < 0 && takesFromKnown(table, old)',
  },
  {
    name: 'wait without the timeout',
    file: 'src/format/share.ts',
    find: '(callsMove ? timeoutMs : 0)',
    replace: '(callsMove ? 0 * timeoutMs : 0)',
  },
  {
    name: 'no lease check at a start',
    file: 'src/worker/seat-lease.ts',
    find: 'now - this.#since < this.#note.leaseMs;',
    replace: 'now - this.#since < this.#note.leaseMs + 86_400_000;',
  },
  {
    name: 'no age check of the control',
    file: 'src/worker/pace.ts',
    find: 'now >= this.#lookedAt && now - this.#lookedAt <= limits.controlStaleMs;',
    replace: 'now >= this.#lookedAt && now - this.#lookedAt <= 1_000 * limits.controlStaleMs;',
  },
  {
    name: 'a successor that does not wait for the calls of its predecessor',
    file: 'src/worker/seat-desk.ts',
    find: "else if (!seat.isBusy && (kind === 'parks' || this.#rules.mayLeave(seat)))",
    replace: "else if (kind === 'parks' || this.#rules.mustLeave(seat))",
  },
  {
    name: 'a successor that counts no calls which its predecessor left under way',
    file: 'src/worker/pace.ts',
    find: 'share.calls - one.taken(now)',
    replace: 'share.calls - 0 * one.taken(now)',
  },
  {
    name: 'a holder that parts while it still starts calls',
    file: 'src/worker/seat-writer.ts',
    find: '      this.#lease = parted.lease;\n',
    replace: '',
  },
  {
    name: 'a successor without the debt of its predecessor',
    file: 'src/worker/take-seat.ts',
    find: 'job.gate.owe(deps.clock.now(), claim.debt);',
    replace: 'void claim.debt;',
  },
  {
    name: "a turn writes over people's limits",
    file: 'src/job/change-seats.ts',
    find: 'revision === decidedOn\n        ? {\n            table: { limits: table.limits, ...of },',
    replace:
      'revision >= 0 && table.seats > 0 && decidedOn >= 0\n        ? {\n            table: { limits: seen.limits, ...of },',
  },
  {
    name: 'chunks of another seat are taken at once',
    file: 'src/worker/chunk-picker.ts',
    find: 'if (isEnough() || !pace.isSettled(now)) return;',
    replace: 'if (isEnough()) return;',
  },
  {
    name: 'a seat goes on with chunks that have been dealt anew',
    file: 'src/worker/pace.ts',
    find: 'if (!isDealtAlike) this.#dealtSince = control.revision;',
    replace: 'void isDealtAlike;',
  },
  {
    name: 'what is begun stands in no note',
    file: 'src/worker/seat-content.ts',
    find: 'open: [...chunks.open],',
    replace: 'open: [],',
  },
  {
    name: 'two may take a seat',
    file: 'src/worker/seat-lease.ts',
    find: ': { ifMatch: read.etag };\n    let etag = await putNote(deps, job, { note, condition });',
    replace:
      ': { ifMatch: read.etag };\n    void condition;\n    let etag = await deps.store.put(seatKey(job, seat), seatFormat.encode(note));',
  },
  {
    name: 'a live seat may be taken',
    file: 'src/worker/seat-lease.ts',
    find: 'read.freeInMs > 0)',
    replace: 'read.freeInMs > 1_000_000)',
  },
  {
    name: 'starts that gather in a child whose loop is busy',
    file: 'src/worker/isolate/isolation.ts',
    find: 'this.#beginning !== undefined || ',
    replace: '',
  },
  {
    name: 'a call that a child begins late counts from when it was to begin',
    file: 'src/worker/gate.ts',
    find: 'if (perSecond > 0) this.#paced.owe',
    replace: 'if (perSecond < 0) this.#paced.owe',
  },
  {
    name: 'nobody rings again for a seat whose bell was lost',
    file: 'src/job/bells.ts',
    find: 'now - rungAt >= againMs) return false;',
    replace: 'now - rungAt >= 1_000 * againMs) return false;',
  },
];

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '40' }, only: { type: 'string', default: '' } },
});
const root = resolve(import.meta.dirname, '../..');
const write = (text: string): void => void process.stdout.write(`${text}\n`);

const asItIs = values.only === '' ? await runsIn(root) : '';
if (asItIs !== '') write(`the code as it stands is broken: ${asItIs}`);
let missed = asItIs === '' ? 0 : 1;
for (const mutation of mutations.filter(({ name }) => name.includes(values.only))) {
  const caught = await runsOfMutant(mutation);
  if (caught === '' || caught.startsWith('STALE')) missed++;
  write(`${mutation.name.padEnd(64)} ${caught === '' ? 'NOT CAUGHT' : caught.slice(0, 160)}`);
}
process.exitCode = missed === 0 ? 0 : 1;

/** What the runs notice of a mutation; empty when nothing. */
async function runsOfMutant({ file, find, replace }: Mutation): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fanloop-seats-'));
  try {
    for (const name of ['src', 'test/testing', 'test/mutations', 'package.json'])
      await cp(join(root, name), join(folder, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const text = await readFile(join(folder, file), 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) return `STALE: its text stands ${found} times in ${file}; write the mutation anew`;
    await writeFile(
      join(folder, file),
      text.replace(find, () => replace),
    );
    return await runsIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first promise that the runs of a copy break, with its seed. */
function runsIn(cwd: string): Promise<string> {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, ['test/mutations/seat-runs.ts', values.seeds], { cwd });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        output += data.toString();
      });
    child.on('error', reject);
    child.on('close', () => settle(/Error: .*/.exec(output)?.[0] ?? output.trim()));
  });
}
