import type { Forecast } from '../../folder/forecast.ts';
import { prices } from '../../folder/prices.ts';
import type { Summary } from '../../format/summary.ts';
import type { Terminal } from '../terminal.ts';
import { count, counted, dollars, duration, rate } from '../wording.ts';

const labelWidth = 10;

/** The lines that say what a job will come to, what it rests on, and which limits it meets. */
export function forecastLines(
  forecast: Forecast,
  { sample, reach, isCounted }: { readonly sample: Summary; readonly reach: string; readonly isCounted: boolean },
  terminal: Pick<Terminal, 'paint'>,
): readonly string[] {
  const row = (label: string, text: string): string => `  ${terminal.paint('dim', label.padEnd(labelWidth))}${text}`;
  const rows = (label: string, texts: readonly string[]): readonly string[] =>
    texts.map((text, i) => row(i === 0 ? label : '', text));
  const { cost, limits } = forecast;
  const parts = `Lambda ${dollars(cost.lambda)}, SQS ${dollars(cost.sqs)}, S3 ${dollars(cost.s3)}`;
  const items = `${isCounted ? '' : 'about '}${counted(forecast.items, 'item')}`;
  return [
    terminal.paint('bold', `${items} of ${sample.task}, by ${count(sample.items)} that were run`),
    row('time', `about ${duration(forecast.wallMs)} with ${reach}`),
    row('cost', `about ${dollars(cost.total)} on AWS (${parts})`),
    row(
      'calls',
      `${forecast.attempts.toFixed(2)} an item of ${duration(forecast.callMs)} each; up to ${rate(forecast.callsPerSecond)} at the downstream`,
    ),
    row('sample', outcomes(sample)),
    ...rows('limits', limits.length === 0 ? ['none is met'] : limits.map(({ message }) => message)),
    ...rows('assumed', [
      'the downstream stays as quick when all calls come at once, and the rest of the items is like the sample',
      `prices of us-east-1 on arm64 as of ${prices.asOf}, without the free tier; without traffic, logs, and what the downstream costs`,
    ]),
  ];
}

function outcomes({ totals }: Summary): string {
  const codes = Object.entries(totals.codes).map(([code, n]) => `${code} ${count(n)}`);
  const failed = totals.failed === 0 ? [] : [`${count(totals.failed)} failed (${codes.join(', ')})`];
  return [`${count(totals.succeeded)} succeeded`, ...failed].join(', ');
}
