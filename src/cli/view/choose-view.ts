import type { Clock } from '../../ports.ts';
import type { EventWriter } from '../events.ts';
import type { OutputOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { barView } from './bar.ts';
import { lineView } from './lines.ts';
import { noProgress, type ProgressView } from './progress.ts';

/** Progress as events with `--json`, not at all with `--quiet`, as a bar on a screen, else as a line now and then. */
export function chooseView(
  options: OutputOptions,
  deps: { readonly terminal: Terminal; readonly clock: Clock; readonly events: EventWriter },
): ProgressView {
  if (options.json === true)
    return { update: (progress) => deps.events({ type: 'progress', ...progress }), end: () => {} };
  if (options.quiet === true) return noProgress;
  return deps.terminal.canRedraw ? barView(deps.terminal) : lineView(deps.terminal, deps.clock);
}
