import { firstControl } from '../../src/format/control.ts';
import { Pace } from '../../src/worker/pace.ts';

/** The pace of a job without limits. */
export const unlimitedPace = (now = 0): Pace =>
  new Pace({ now, control: firstControl({ limits: {}, seats: 1 }), concurrency: 100, timeoutMs: 1_000 });
