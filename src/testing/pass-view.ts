import type { History } from './history.ts';
import type { SimulatedPass } from './passes.ts';
import type { Simulated } from './simulate.ts';

/** One pass of a run, as if it were a job of its own. */
export interface PassView extends Pick<SimulatedPass, 'rows' | 'summary' | 'startedAt' | 'endedAt' | 'bounds'> {
  readonly pass: SimulatedPass;
  readonly history: History;
}

/** What one pass came to, with what befell it alone. */
export function passView({ history }: Simulated, pass: SimulatedPass): PassView {
  const { rows, summary, startedAt, endedAt, bounds } = pass;
  return { pass, rows, summary, startedAt, endedAt, bounds, history: history.ofPass(pass.pass, pass.indexes) };
}
