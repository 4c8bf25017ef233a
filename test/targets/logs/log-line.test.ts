import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLogLine } from '../../../src/cli/view/log-line.ts';
import { readFolderLogs } from '../../../src/targets/logs/folder-logs.ts';
import { parseLogLine } from '../../../src/targets/logs/log-line.ts';

const jobId = '0000000000aaaaaaaaaa';
const line = (fields: object): string =>
  JSON.stringify({ level: 'info', time: '2026-11-23T10:00:01.234Z', message: 'a chunk was stored', jobId, ...fields });

describe('parseLogLine', () => {
  it.each([
    ['as it was logged', ''],
    ['with what Lambda writes before it', '2026-11-23T10:00:01.234Z\tb6580cb8-4d15\tINFO\t'],
  ])('reads a line %s', (_, prefix) => {
    const parsed = parseLogLine(prefix + line({ part: 0, chunk: 3 }), jobId);
    expect(parsed).toMatchObject({
      level: 'info',
      message: 'a chunk was stored',
      fields: { part: 0, chunk: 3 },
      text: line({ part: 0, chunk: 3 }),
    });
    expect(parsed && formatLogLine(parsed)).toBe('10:00:01.234 info  a chunk was stored {"part":0,"chunk":3}');
  });

  it.each([
    ['another job', line({ jobId: 'zzzzzzzzzzzzzzzzzzzz', note: jobId })],
    ['no JSON', `START RequestId: ${jobId}`],
    ['broken JSON', `{"jobId":"${jobId}"`],
    ['no object', `["${jobId}"]`],
  ])('passes over %s', (_, text) => {
    expect(parseLogLine(text, jobId)).toBeUndefined();
  });
});

describe('readFolderLogs', () => {
  it('puts the lines of all functions in the order of time', async () => {
    const state = await mkdtemp(path.join(tmpdir(), 'fanloop-logs-'));
    try {
      await mkdir(path.join(state, 'logs'));
      const at = (second: number, message: string): string =>
        line({ time: `2026-11-23T10:00:0${second}.000Z`, message });
      await writeFile(path.join(state, 'logs', 'Worker.log'), `${at(2, 'second')}\nEND\n${at(4, 'fourth')}\n`);
      await writeFile(path.join(state, 'logs', 'Tick.log'), `${at(1, 'first')}\n${at(3, 'third')}`);
      await writeFile(path.join(state, 'logs', 'other.txt'), at(0, 'no log'));
      const lines = await readFolderLogs(state, jobId);
      expect(lines.map(({ message }) => message)).toEqual(['first', 'second', 'third', 'fourth']);
      await expect(readFolderLogs(path.join(state, 'absent'), jobId)).resolves.toEqual([]);
    } finally {
      await rm(state, { recursive: true });
    }
  });
});
