import type { Row } from '../format/outcome.ts';
import { type CallEvent, type History, passName } from './history.ts';
import type { RedriveChoice, SimulatedPass } from './passes.ts';
import type { Simulated } from './simulate.ts';
import type { Report } from './violation.ts';

/** Holds the passes of a job to what was asked for, and the one result set that readers see to all of them. */
export function checkPasses(run: Simulated, report: Report): void {
  const [first, ...redrives] = run.passes;
  if (first === undefined) return;
  let stood: ReadonlyMap<number, Row> = new Map(first.rows.map((row) => [row.index, row]));
  let before = first;
  for (const pass of redrives) {
    const isAsked = pass.asked.some((choice) => isWhatWasAsked(pass, { choice, before, stood }));
    if (!isAsked) report('a pass runs what was asked for', `${described(pass)}, asked ${JSON.stringify(pass.asked)}`);
    stood = new Map([...stood, ...pass.rows.map((row) => placed(row, pass))]);
    before = pass;
  }
  checkFolded(run, stood, report);
  checkKeys(run, report);
  for (const { pass, rows, rowsLater } of run.passes)
    if (JSON.stringify(rows) !== JSON.stringify(rowsLater)) report('each pass is kept', `rows of pass ${pass} changed`);
}

const described = ({ pass, indexes, attempts, sameKey }: SimulatedPass): string =>
  `pass ${pass} ran items ${indexes.join(', ')} with ${attempts} attempts${sameKey ? ' under the same keys' : ''}`;

function isWhatWasAsked(
  pass: SimulatedPass,
  of: { readonly choice: RedriveChoice; readonly before: SimulatedPass; readonly stood: ReadonlyMap<number, Row> },
): boolean {
  const { choice, before, stood } = of;
  const chosen = [...stood.values()].filter((row) => isChosen(row, choice)).map(({ index }) => index);
  return (
    JSON.stringify(chosen) === JSON.stringify(pass.indexes) &&
    pass.attempts === (choice.attempts ?? before.attempts) &&
    pass.timeoutMs === (choice.timeoutMs ?? before.timeoutMs) &&
    pass.sameKey === (choice.sameKey ?? false)
  );
}

function isChosen(row: Row, { codes = [], cancelled = false }: RedriveChoice): boolean {
  if (row.status === 'cancelled') return cancelled;
  return row.status === 'failed' && (codes.length === 0 || codes.includes(row.error.code));
}

/** A row of a pass under the index that its item has in the job. */
function placed(row: Row, { indexes }: SimulatedPass): readonly [number, Row] {
  const index = indexes[row.index] ?? -1;
  return [index, { ...row, index }];
}

/** Of each item readers see the row of the last pass that ran it. */
function checkFolded({ rows, summary, passes }: Simulated, stood: ReadonlyMap<number, Row>, report: Report): void {
  const rule = 'readers see one row an item, of its last pass';
  if (rows.length !== stood.size) report(rule, `${rows.length} rows of ${stood.size} items`);
  for (const row of rows) {
    const wanted = stood.get(row.index);
    if (JSON.stringify(sorted(row)) !== JSON.stringify(wanted && sorted(wanted)))
      report(rule, `item ${row.index} is ${JSON.stringify(row)}, expected ${JSON.stringify(wanted)}`);
  }
  const counted = summary.passes ?? 0;
  if (counted !== passes.length - 1) report('the summary counts the passes', `${counted} of ${passes.length - 1}`);
}

const sorted = (row: Row): unknown => Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));

/** Under the job's own keys a call of a process that has chunks of an earlier pass in hand as well may be of that one. */
function mayBeOfAnother({ life }: CallEvent, pass: SimulatedPass | undefined, { lives }: History): boolean {
  const places = [...(lives[life]?.chunks.keys() ?? [])];
  return pass?.sameKey === true && !places.every((place) => place.startsWith(passName(pass.pass)));
}

/** A pass calls for its own items alone, under its own keys. */
function checkKeys({ jobId, passes, history }: Simulated, report: Report): void {
  for (const call of history.calls) {
    const pass = passes.find((one) => one.pass === call.pass);
    if (pass?.indexes.includes(call.index) !== true && !mayBeOfAnother(call, pass, history))
      report('a pass calls for its own items alone', `item ${call.index} was called in pass ${call.pass}`);
    const named = call.pass === 0 || pass?.sameKey === true ? '' : `/${call.pass}`;
    if (call.idempotencyKey !== `${jobId}/${call.index}${named}`)
      report('calls of a pass have its key', `pass ${call.pass} called with ${call.idempotencyKey}`);
  }
}
