import { describe, expect, it } from 'vitest';
import { formatLogLine } from '../../src/cli/view/log-line.ts';
import { countingLog } from '../../src/runtime/counting-log.ts';
import { parseLogLine } from '../../src/targets/logs/log-line.ts';

const lines: Array<readonly unknown[]> = [];
const log = countingLog((...line) => lines.push(line), 'Mine/Jobs', { now: () => 1_000 });

describe('countingLog', () => {
  it('says to CloudWatch which numbers of a line count for whom, as the embedded metric format wants it', () => {
    log('info', 'a turn was taken', { jobId: 'j', metrics: { ItemsSucceeded: 3, ItemsFailed: 0, JobsEnded: 1 } });
    expect(lines.pop()).toEqual([
      'info',
      'a turn was taken',
      {
        jobId: 'j',
        ItemsSucceeded: 3,
        JobsEnded: 1,
        Jobs: 'Mine/Jobs',
        _aws: {
          Timestamp: 1_000,
          CloudWatchMetrics: [
            {
              Namespace: 'Fanloop',
              Dimensions: [['Jobs']],
              Metrics: [
                { Name: 'ItemsSucceeded', Unit: 'Count' },
                { Name: 'JobsEnded', Unit: 'Count' },
              ],
            },
          ],
        },
      },
    ]);
  });

  it('leaves a line as it is where nothing counts', () => {
    log('warn', 'nothing', { jobId: 'j', metrics: { ItemsFailed: 0 } });
    log('info', 'plain');
    expect(lines.splice(0)).toEqual([
      ['warn', 'nothing', { jobId: 'j' }],
      ['info', 'plain', {}],
    ]);
  });

  it('shows a person the numbers, and not how they are told to CloudWatch', () => {
    log('info', 'a turn was taken', { jobId: 'j', metrics: { ItemsSucceeded: 3 } });
    const [level, message, fields] = lines.pop() ?? [];
    const line = parseLogLine(JSON.stringify({ level, message, ...Object(fields) }), 'j');
    expect(line && formatLogLine(line)).toBe(' info  a turn was taken {"ItemsSucceeded":3}');
  });
});
