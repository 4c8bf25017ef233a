import type { Clock } from '../../ports.ts';
import type { Terminal } from '../terminal.ts';
import { progressDetails } from './details.ts';
import type { ProgressView } from './progress.ts';

/** A log gets a line this often. */
const everyMs = 5_000;

/** Writes a line every few seconds, for logs and pipes. */
export function lineView(terminal: Pick<Terminal, 'say'>, clock: Pick<Clock, 'now'>): ProgressView {
  let lastAt = clock.now();
  return {
    update: (progress) => {
      const now = clock.now();
      if (now - lastAt < everyMs) return;
      lastAt = now;
      terminal.say(`${progress.task}: ${progressDetails(progress).join(', ')}`);
    },
    end: () => {},
  };
}
