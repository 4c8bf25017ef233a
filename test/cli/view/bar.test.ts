import { describe, expect, it } from 'vitest';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { barLine, barView } from '../../../src/cli/view/bar.ts';
import { progressDetails } from '../../../src/cli/view/details.ts';
import { lineView } from '../../../src/cli/view/lines.ts';
import { Pace } from '../../../src/client/pace.ts';
import type { Progress } from '../../../src/client/progress.ts';

const progress: Progress = {
  jobId: '0000000000aaaaaaaaaa',
  task: 'http',
  items: 500,
  total: 1_000,
  read: 1_000,
  elapsedMs: 4_000,
  failed: 3,
  retries: 18,
  refusals: 0,
  costUsd: 0.0042,
  perSecond: 312.4,
  remainingMs: 1_600,
};

const screen = (columns: number): Terminal & { readonly drawn: string[]; readonly said: string[] } => {
  const drawn: string[] = [];
  const said: string[] = [];
  return {
    drawn,
    said,
    data: async () => true,
    say: (line) => void said.push(line),
    draw: (text) => void drawn.push(text),
    paint: (_, text) => text,
    dataFailure: undefined,
    dataIsSeen: true,
    canRedraw: true,
    columns: () => columns,
  };
};

describe('barLine', () => {
  it('shows the bar, counts, share, rate, time left, failures, retries, and cost', () => {
    expect(barLine(progress, screen(120))).toBe(
      `http  ${'━'.repeat(40)}  500/1,000  50%  312/s  1.6 s left  3 failed  18 retries  $0.0042 on AWS`,
    );
  });

  it('is never wider than the terminal, and drops the least important words first', () => {
    for (let columns = 1; columns <= 160; columns++) {
      const line = barLine(progress, screen(columns));
      expect(line.length).toBeLessThan(columns === 1 ? 2 : columns);
      expect('500/1,000  50%'.startsWith(line) || line.includes('500/1,000  50%')).toBe(true);
    }
    expect(barLine(progress, screen(60))).toMatch(/^http {2}━+ {2}500\/1,000 {2}50% {2}312\/s {2}1\.6 s left$/);
  });

  it('says how much of the input is read before the end of it is known', () => {
    const { total: _, ...reading } = { ...progress, read: 120_000 };
    expect(barLine(reading, screen(80))).toBe('http  reading the input: 120,000 items');
    expect(barLine({ ...reading, read: 0 }, screen(80))).toBe('http  reading the input');
  });

  it('does not divide by an empty job', () => {
    expect(barLine({ ...progress, items: 0, total: 0 }, screen(120))).toContain('0/0  0%');
  });
});

describe('barView', () => {
  it('redraws one line in place and clears it at the end', () => {
    const terminal = screen(80);
    const view = barView(terminal);
    view.update(progress);
    view.update({ ...progress, items: 1_000 });
    view.end();
    expect(terminal.drawn.every((text) => text.startsWith('\r\u001b[2K') && !text.includes('\n'))).toBe(true);
    expect(terminal.drawn.at(-1)).toBe('\r\u001b[2K');
  });
});

describe('lineView', () => {
  it('writes a line every five seconds, not at each look', () => {
    const terminal = screen(80);
    let now = 0;
    const view = lineView(terminal, { now: () => now });
    for (; now <= 12_000; now += 1_000) view.update({ ...progress, items: now / 100 });
    expect(terminal.said).toEqual([
      'http: 50/1,000, 5%, 312/s, 1.6 s left, 3 failed, 18 retries, $0.0042 on AWS',
      'http: 100/1,000, 10%, 312/s, 1.6 s left, 3 failed, 18 retries, $0.0042 on AWS',
    ]);
  });
});

describe('progressDetails', () => {
  it('leaves out what is not known or zero', () => {
    const bare: Progress = {
      jobId: 'x',
      task: 'http',
      items: 0,
      total: 10,
      read: 10,
      elapsedMs: 3_000,
      failed: 0,
      retries: 0,
      refusals: 0,
      costUsd: 0,
    };
    expect(progressDetails(bare)).toEqual(['0/10', '0%', '3.0 s']);
    expect(progressDetails({ ...bare, items: 10, remainingMs: 0, retries: 1 })).toEqual([
      '10/10',
      '100%',
      '3.0 s',
      '1 retry',
    ]);
    expect(progressDetails({ ...bare, refusals: 1_200, brakedTo: 18.4, retries: 1_200 }).slice(3)).toEqual([
      '1,200 refused for the rate',
      'asking at most 18/s now',
      '1,200 retries',
    ]);
  });
});

describe('Pace', () => {
  it('is not known before something has settled', () => {
    const pace = new Pace();
    pace.add(0, 0);
    pace.add(1_000, 0);
    expect([pace.perSecond, pace.timeFor(10)]).toEqual([undefined, undefined]);
  });

  it('measures the last minute only', () => {
    const pace = new Pace();
    for (let second = 0; second <= 600; second++) pace.add(second * 1_000, second <= 500 ? 0 : (second - 500) * 20);
    expect(pace.perSecond).toBe(20);
    expect(pace.timeFor(100)).toBe(5_000);
  });

  it('starts where a job is when somebody begins to watch it', () => {
    const pace = new Pace();
    pace.add(0, 900_000);
    pace.add(2_000, 900_100);
    expect(pace.perSecond).toBe(50);
  });
});

it('says what the task has reported to have cost, which a budget counts too', () => {
  expect(progressDetails({ ...progress, usedUsd: 6.5 }).slice(-2)).toEqual(['$0.0042 on AWS', '$6.50 by the task']);
});
