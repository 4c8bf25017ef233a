import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { openRows, type RowOutputOptions } from '../../../src/cli/view/row-output.ts';
import { toJsonLines } from '../../../src/format/json.ts';

const row = { index: 0, status: 'succeeded', value: '\ud800\u2028', attempts: 1, durationMs: 2 } as const;

const linesOf = (rows: readonly unknown[]) => Buffer.from(toJsonLines(rows));

/** A terminal of which only stdout is used. */
const terminalOf = (written: string[]) =>
  ({ data: async (text: string) => written.push(text) > 0 }) as unknown as Terminal;

const rowsToFile = (out: string, options: RowOutputOptions = {}) => openRows({ ...options, out }, terminalOf([]));

describe('openRows', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fanloop-rows-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('shows the file when it is complete, in the place of an older one', async () => {
    const file = path.join(folder, 'out.ndjson');
    await writeFile(file, 'old');
    const output = await rowsToFile(file);
    await output.write(linesOf([row]));
    await output.write(linesOf([{ ...row, index: 1 }]));
    await expect(readFile(file, 'utf8')).resolves.toBe('old');
    await output.finish();
    await output.discard();
    await expect(readFile(file, 'utf8')).resolves.toBe(
      `${JSON.stringify(row)}\n${JSON.stringify({ ...row, index: 1 })}\n`,
    );
    await expect(readdir(folder)).resolves.toEqual(['out.ndjson']);
  });

  it('makes an empty file of no rows', async () => {
    const output = await rowsToFile(path.join(folder, 'none.ndjson'));
    await output.finish();
    await expect(readFile(path.join(folder, 'none.ndjson'), 'utf8')).resolves.toBe('');
  });

  it('leaves nothing when it is discarded', async () => {
    const output = await rowsToFile(path.join(folder, 'out.ndjson'));
    await output.write(linesOf([row]));
    await output.discard();
    await expect(readdir(folder)).resolves.toEqual([]);
  });

  it('writes to a device and leaves it where it is', async () => {
    const output = await rowsToFile('/dev/null');
    await output.write(linesOf([row]));
    await output.finish();
    await expect(writeFile('/dev/null', 'x')).resolves.toBeUndefined();
  });

  it.each(['.', 'absent/out.ndjson'])('refuses %s', async (name) => {
    await expect(rowsToFile(path.join(folder, name))).rejects.toMatchObject({ code: 'MissingFile' });
  });

  const rows = [
    { index: 0, key: 'a,"b', status: 'succeeded', value: { body: { name: 'Ada\nL' } }, attempts: 1, durationMs: 2 },
    {
      index: 1,
      key: 7,
      status: 'failed',
      error: { code: 'HttpStatus404', message: 'none', retryable: false },
      attempts: 1,
      durationMs: 3,
    },
    { index: 2, status: 'cancelled', attempts: 0 },
    { index: 3, status: 'succeeded', value: 'text', attempts: 1, durationMs: 4 },
  ] as const;

  async function written(name: string, options: RowOutputOptions = {}): Promise<string> {
    const output = await rowsToFile(path.join(folder, name), options);
    for (const row of rows) await output.write(linesOf([row]));
    await output.finish();
    const bytes = await readFile(path.join(folder, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  }

  it('writes a table with a header, one record a row, as RFC 4180 has it', async () => {
    const text = await written('out.csv');
    expect(text.split('\r\n')).toEqual([
      'index,key,status,value,error.code,error.message,attempts,durationMs',
      String.raw`0,"a,""b",succeeded,"{""body"":{""name"":""Ada\nL""}}",,,1,2`,
      '1,7,failed,,HttpStatus404,none,1,3',
      '2,,cancelled,,,,0,',
      '3,,succeeded,text,,,1,4',
      '',
    ]);
    expect((await written('out.csv', { withItem: true })).split('\r\n')[0]).toMatch(/,durationMs,item$/);
    await expect(written('out.TSV', { select: ['key', 'value.body.name'], failed: false })).resolves.toBe(
      'key\tvalue.body.name\r\n"a,""b"\t"Ada\nL"\r\n7\t\r\n\t\r\n\t\r\n',
    );
  });

  it('writes JSON, packed JSON lines, and an empty array', async () => {
    expect(JSON.parse(await written('out.json'))).toEqual(rows);
    expect(
      (await written('out.ndjson.gz'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
    expect(JSON.parse(await written('none.json', { code: ['Other'] }))).toEqual([]);
    expect((await written('none.csv.gz', { code: ['Other'] })).split('\r\n')).toHaveLength(2);
  });

  it('writes the rows and parts of rows that were chosen', async () => {
    const indexes = async (options: RowOutputOptions) =>
      (await written('out.ndjson', { select: ['index'], ...options })).match(/\d+/g)?.map(Number);
    await expect(indexes({ failed: true })).resolves.toEqual([1]);
    await expect(indexes({ succeeded: true })).resolves.toEqual([0, 3]);
    await expect(indexes({ code: ['HttpStatus404', 'Timeout'] })).resolves.toEqual([1]);
    await expect(written('out.ndjson', { select: ['key', 'value.body.name'], failed: true })).resolves.toBe(
      '{"key":7,"value.body.name":null}\n',
    );
  });

  it('writes the file that a link leads to, and leaves the link', async () => {
    await mkdir(path.join(folder, 'real'));
    await symlink('real/target.ndjson', path.join(folder, 'link.ndjson'));
    for (const _ of ['absent', 'there']) {
      await written('link.ndjson');
      expect((await lstat(path.join(folder, 'link.ndjson'))).isSymbolicLink()).toBe(true);
      await expect(readdir(path.join(folder, 'real'))).resolves.toEqual(['target.ndjson']);
    }
  });

  it('says in one sentence that the disk is full, and where the rows are', async () => {
    const output = await rowsToFile('/dev/full');
    const writing = (async () => {
      await output.write(linesOf(rows));
      await output.finish();
    })();
    await expect(writing).rejects.toThrow(/^expected \/dev\/full to take the rows, got ENOSPC.*the job's results stay/);
    await output.discard();
  });

  it('refuses a kind of file that it does not write', async () => {
    await expect(rowsToFile(path.join(folder, 'out.xlsx'))).rejects.toMatchObject({ code: 'InvalidOptions' });
  });
});
