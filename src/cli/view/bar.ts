import type { Progress } from '../../client/progress.ts';
import type { Terminal } from '../terminal.ts';
import { progressDetails } from './details.ts';
import type { ProgressView } from './progress.ts';

const narrowestBar = 10;
const widestBar = 40;
const full = '━';
const half = '╸';
const gap = '  ';

/** Draws a bar on one line of the screen, again and again. */
export function barView(terminal: Terminal): ProgressView {
  return {
    update: (progress) => terminal.draw(`\r\u001b[2K${barLine(progress, terminal)}`),
    end: () => terminal.draw('\r\u001b[2K'),
  };
}

/** The line of a bar, no wider than the terminal: the least important words go first, then the bar. */
export function barLine(progress: Progress, terminal: Pick<Terminal, 'columns' | 'paint'>): string {
  // The last column stays free, because some terminals wrap when it is written.
  const width = terminal.columns() - 1;
  const details = [...progressDetails(progress)];
  const barFits = (): number => width - [progress.task, ...details].join(gap).length - gap.length;
  while (details.length > 2 && barFits() < narrowestBar) details.pop();
  const room = Math.min(widestBar, barFits());
  const words = details.join(gap);
  if (room < narrowestBar) return words.slice(0, Math.max(0, width));
  if (progress.total === undefined) return `${progress.task}${gap}${words}`;
  return `${progress.task}${gap}${drawBar(progress.items / Math.max(1, progress.total), room, terminal)}${gap}${words}`;
}

function drawBar(share: number, width: number, terminal: Pick<Terminal, 'paint'>): string {
  const halves = Math.floor(share * width * 2);
  const done = full.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? half : '');
  return terminal.paint('cyan', done) + terminal.paint('dim', full.repeat(width - done.length));
}
